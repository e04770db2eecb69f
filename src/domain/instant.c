/* Instants; see instant.h. */
#include "domain/instant.h"

#include "domain/date.h"

static void put_digits(char *to, int digits, int64_t value)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

void instant_format(int64_t ms, char text[INSTANT_TEXT_SIZE])
{
	int32_t day = date_of_wall(ms);
	int64_t of_day = ms - day * DATE_DAY_MS;

	date_format(day, text);
	text[10] = 'T';
	put_digits(text + 11, 2, of_day / 3600000);
	text[13] = ':';
	put_digits(text + 14, 2, of_day / 60000 % 60);
	text[16] = ':';
	put_digits(text + 17, 2, of_day / 1000 % 60);
	text[19] = '.';
	put_digits(text + 20, 3, of_day % 1000);
	text[23] = 'Z';
}

static bool take(struct text *text, char c)
{
	if (text->size == 0 || text->data[0] != c)
		return false;
	text->data++;
	text->size--;
	return true;
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
	if (!take(text, '.'))
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
	if (take(text, 'Z') || take(text, 'z'))
		return true;
	bool behind = take(text, '-');
	if (!behind && !take(text, '+'))
		return false;
	if (!take_two_digits(text, 24, &hour) || !take(text, ':') || !take_two_digits(text, 60, &minute))
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
	if (!take(&text, 'T') && !take(&text, 't'))
		return false;
	if (!take_two_digits(&text, 24, &hour) || !take(&text, ':') || !take_two_digits(&text, 60, &minute) ||
	    !take(&text, ':') || !take_two_digits(&text, 60, &second) || !take_fraction(&text, &fraction) ||
	    !take_offset(&text, &offset_minutes) || text.size > 0)
		return false;
	int64_t parsed =
		day * DATE_DAY_MS + ((hour * 60 + minute - offset_minutes) * INT64_C(60) + second) * 1000 + fraction;
	if (parsed < 0 || parsed > INSTANT_MAX_MS)
		return false;
	*ms = parsed;
	return true;
}
