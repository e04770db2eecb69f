/* Instants; see instant.h. */
#include "domain/instant.h"

#include "base/date.h"

void instant_format(int64_t ms, char text[INSTANT_TEXT_SIZE])
{
	int32_t day = date_of_wall(ms);
	unsigned of_day = (unsigned)(ms - day * DATE_DAY_MS), second = of_day / 1000, fraction = of_day % 1000;

	date_format(day, text);
	text[10] = 'T';
	date_put_two_digits(text + 11, second / 3600);
	text[13] = ':';
	date_put_two_digits(text + 14, second / 60 % 60);
	text[16] = ':';
	date_put_two_digits(text + 17, second % 60);
	text[19] = '.';
	text[20] = (char)('0' + fraction / 100);
	date_put_two_digits(text + 21, fraction % 100);
	text[23] = 'Z';
}

static bool take_two_digits(struct text *text, int limit, int *value)
{
	if (text->size < 2 || text->data[0] < '0' || text->data[0] > '9' || text->data[1] < '0' || text->data[1] > '9')
		return false;
	*value = (text->data[0] - '0') * 10 + (text->data[1] - '0');
	text->data += 2;
	text->size -= 2;
	return *value < limit;
}

static bool take_fraction(struct text *text, int *ms)
{
	int digits = 0;

	*ms = 0;
	if (!text_take(text, '.'))
		return true;
	for (; text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
		if (digits < 3)
			*ms = *ms * 10 + (text->data[0] - '0');
		text->data++;
		text->size--;
	}
	for (int i = digits; i < 3; i++)
		*ms *= 10;
	return digits > 0;
}

static bool take_offset(struct text *text, int *minutes)
{
	int hour, minute;

	*minutes = 0;
	if (text_take(text, 'Z') || text_take(text, 'z'))
		return true;
	bool behind = text_take(text, '-');
	if (!behind && !text_take(text, '+'))
		return false;
	if (!take_two_digits(text, 24, &hour) || !text_take(text, ':') || !take_two_digits(text, 60, &minute))
		return false;
	*minutes = behind ? -(hour * 60 + minute) : hour * 60 + minute;
	return true;
}

bool instant_parse(struct text text, int64_t *ms)
{
	int32_t day;
	int hour, minute, second, fraction, offset_minutes;

	if (text.size < DATE_TEXT_SIZE || !date_parse((struct text){text.data, DATE_TEXT_SIZE}, &day))
		return false;
	text.data += DATE_TEXT_SIZE;
	text.size -= DATE_TEXT_SIZE;
	if (!text_take(&text, 'T') && !text_take(&text, 't'))
		return false;
	if (!take_two_digits(&text, 24, &hour) || !text_take(&text, ':') || !take_two_digits(&text, 60, &minute) ||
	    !text_take(&text, ':') || !take_two_digits(&text, 60, &second) || !take_fraction(&text, &fraction) ||
	    !take_offset(&text, &offset_minutes) || text.size > 0)
		return false;
	int64_t parsed =
		day * DATE_DAY_MS + ((hour * 60 + minute - offset_minutes) * INT64_C(60) + second) * 1000 + fraction;
	if (parsed < 0 || parsed > INSTANT_MAX_MS)
		return false;
	*ms = parsed;
	return true;
}
