/* The filter; see range.h. */
#include "range.h"

#include "sequence.h"

#include <string.h>
#include <time.h>

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t shift_ms(const struct user_model *user, int zone)
{
	return (int64_t)(model_zones[zone].minutes - user->day_start_minutes) * 60000;
}

int64_t range_day(const struct user_model *user, int zone, int64_t ms)
{
	return floor_div(ms + shift_ms(user, zone), RANGE_DAY_MS);
}

int64_t range_day_start_ms(const struct user_model *user, int zone, int64_t day)
{
	return day * RANGE_DAY_MS - shift_ms(user, zone);
}

const char *range_date(int64_t day, char text[RANGE_DATE_SIZE])
{
	time_t seconds = (time_t)(day * (RANGE_DAY_MS / 1000));
	struct tm parts;

	FUZZ_CHECK(gmtime_r(&seconds, &parts));
	strftime(text, RANGE_DATE_SIZE, "%Y-%m-%d", &parts);
	return text;
}

/* An end of the range. */
struct end {
	bool given, is_date;
	int64_t ms, day;
};

static struct end choose_end(int user, int zone, bool given, bool is_date, int64_t open_ms)
{
	const struct user_model *whose = &model.users[user];
	struct end end = {.given = given, .is_date = is_date, .ms = open_ms};

	if (!given)
		return end;
	end.ms = sequence_time();
	end.day = range_day(whose, zone, end.ms);
	if (is_date)
		end.ms = range_day_start_ms(whose, zone, end.day);
	return end;
}

static void put_end(struct range *range, const char *name, const struct end *end)
{
	char date[RANGE_DATE_SIZE];

	if (!end->given)
		return;
	range->given = true;
	buffer_append_format(&range->fields, ",\"%s\":", name);
	if (end->is_date)
		buffer_append_format(&range->fields, "\"%s\"", range_date(end->day, date));
	else
		model_put_time(&range->fields, true, end->ms);
}

static void choose_ends(int user, struct range *range, unsigned what)
{
	struct end from = choose_end(user, range->zone, what & 8, what & 64, INT64_MIN);
	struct end to = choose_end(user, range->zone, what & 16, what & 128, INT64_MAX);

	/* One that ends before it begins is refused; not so often. */
	if ((what & 32) && from.given && to.given && from.ms > to.ms) {
		struct end later = from;
		from = to;
		to = later;
	}
	put_end(range, "from", &from);
	put_end(range, "to", &to);
	range->from_ms = from.ms;
	range->to_ms = to.ms;
}

void range_choose(int user, struct range *range)
{
	unsigned what = sequence_byte();

	*range = (struct range){.document = -1, .library = -1, .zone = model.users[user].zone, .fields = BUFFER_INIT};
	if (what & 1) {
		range->zone = sequence_choice(ZONES);
		buffer_append_format(&range->fields, ",\"timezone\":\"%s\"", model_zones[range->zone].name);
	}
	if (what & 2) {
		range->document = sequence_choice(DOCUMENTS);
		buffer_append_format(&range->fields, ",\"document\":\"%s\"", model_documents[range->document]);
	}
	if (what & 4) {
		range->library = sequence_choice(LIBRARIES);
		buffer_append_format(&range->fields, ",\"library\":\"%s\"", model_libraries[range->library]);
	}
	range->given = (what & 7) != 0;
	choose_ends(user, range, what);
	buffer_append(&range->fields, "", 1);
}

bool range_selects(const struct range *range, const struct session_model *session)
{
	return (range->document < 0 || session->document == range->document) &&
	       (range->library < 0 || session->library == range->library);
}
