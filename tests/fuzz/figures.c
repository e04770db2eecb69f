/* The statistics of the target `actions`; see sequence.h. They are reckoned in the plainest way from the sessions of the model, which are few: each
 * union anew, each period by its days. */
#include "range.h"
#include "sequence.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAYS_MAX = 4096 };

/* A session as far as it is in the range. */
struct piece {
	const struct session_model *session;
	int64_t start_ms, end_ms;
};

struct figures {
	struct range range;
	const struct user_model *user;
	const struct session_model *sessions[SLOTS]; /* all of the user's, sorted */
	unsigned session_count;
	struct piece pieces[SLOTS]; /* of those that have ended, in their order */
	unsigned count;
};

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static long long seconds(int64_t ms)
{
	return (2 * ms + 1000) / 2000;
}

static long long average_seconds(int64_t ms, int64_t count)
{
	return count == 0 ? 0 : (2 * ms + 1000 * count) / (2000 * count);
}

static void collect(int user, struct figures *figures)
{
	const struct range *range = &figures->range;

	figures->user = &model.users[user];
	figures->session_count = model_list(user, figures->sessions);
	figures->count = 0;
	for (unsigned i = 0; i < figures->session_count; i++) {
		const struct session_model *session = figures->sessions[i];
		struct piece piece = {session, greater(session->start_ms, range->from_ms),
				      lesser(session->end_ms, range->to_ms)};
		if (!session->ended || !range_selects(range, session))
			continue;
		bool is_in = session->start_ms == session->end_ms
				     ? session->start_ms >= range->from_ms && session->start_ms < range->to_ms
				     : piece.start_ms < piece.end_ms;
		if (is_in)
			figures->pieces[figures->count++] = piece;
	}
}

/* Ask for a statistic with the filter and more; false where it is refused, as it should be then. */
static bool ask(const char *action, int user, struct figures *figures, const char *more, int *status)
{
	range_choose(user, &figures->range);
	*status = sequence_ask(action, ",\"user\":\"%s\"%s%s", model_user_name(user), figures->range.fields.data, more);
	buffer_release(&figures->range.fields);
	int refusal = model_refuses_user(user);
	if (refusal == 0 && figures->range.from_ms > figures->range.to_ms)
		refusal = 400;
	if (refusal != 0) {
		sequence_expect(*status, refusal);
		return false;
	}
	collect(user, figures);
	return true;
}

/* How long the union of the pieces is between two instants; of a document, or with -1 of all. */
static int64_t union_ms(const struct figures *figures, int document, int64_t from_ms, int64_t to_ms)
{
	int64_t sum_ms = 0, reached_ms = from_ms;

	/* They are sorted by their starts. */
	for (unsigned i = 0; i < figures->count; i++) {
		const struct piece *piece = &figures->pieces[i];
		if (document >= 0 && piece->session->document != document)
			continue;
		int64_t start_ms = greater(piece->start_ms, reached_ms), end_ms = lesser(piece->end_ms, to_ms);
		if (start_ms < end_ms) {
			sum_ms += end_ms - start_ms;
			reached_ms = end_ms;
		}
	}
	return sum_ms;
}

/* The days from the first to the last one that pieces with time touch; false where there are none. */
static bool extent(const struct figures *figures, int64_t *first, int64_t *last)
{
	int64_t start_ms = INT64_MAX, end_ms = INT64_MIN;

	for (unsigned i = 0; i < figures->count; i++) {
		const struct piece *piece = &figures->pieces[i];
		if (piece->start_ms >= piece->end_ms)
			continue;
		start_ms = lesser(start_ms, piece->start_ms);
		end_ms = greater(end_ms, piece->end_ms);
	}
	if (start_ms >= end_ms)
		return false;
	*first = range_day(figures->user, figures->range.zone, start_ms);
	*last = range_day(figures->user, figures->range.zone, end_ms - 1);
	FUZZ_CHECK(*last - *first < DAYS_MAX);
	return true;
}

static int64_t day_ms(const struct figures *figures, int document, int64_t day)
{
	return union_ms(figures, document, range_day_start_ms(figures->user, figures->range.zone, day),
			range_day_start_ms(figures->user, figures->range.zone, day + 1));
}

static int64_t active_days(const struct figures *figures, int document)
{
	int64_t first, last, count = 0;

	if (!extent(figures, &first, &last))
		return 0;
	for (int64_t day = first; day <= last; day++)
		count += day_ms(figures, document, day) > 0;
	return count;
}

void figures_summary(void)
{
	int status, user = sequence_choice(USERS);
	int64_t raw_ms = 0, longest_ms = 0, end_ms = INT64_MIN, documents = 0;
	struct buffer wanted = BUFFER_INIT;
	struct figures figures;
	bool known[DOCUMENTS] = {false};

	if (!ask("_getSummary", user, &figures, "", &status))
		return;
	for (unsigned i = 0; i < figures.count; i++) {
		const struct piece *piece = &figures.pieces[i];
		raw_ms += piece->end_ms - piece->start_ms;
		longest_ms = greater(longest_ms, piece->end_ms - piece->start_ms);
		end_ms = greater(end_ms, piece->end_ms);
		documents += !known[piece->session->document];
		known[piece->session->document] = true;
	}
	int64_t sum_ms = union_ms(&figures, -1, INT64_MIN, INT64_MAX), days = active_days(&figures, -1);
	buffer_append_format(&wanted,
			     "[{\"summary\":{\"seconds\":%lld,\"rawSeconds\":%lld,\"sessions\":%u,\"documents\":%lld,"
			     "\"activeDays\":%lld,\"averageSessionSeconds\":%lld,\"averageActiveDaySeconds\":%lld,"
			     "\"longestSessionSeconds\":%lld,\"firstStart\":",
			     seconds(sum_ms), seconds(raw_ms), figures.count, (long long)documents, (long long)days,
			     average_seconds(raw_ms, figures.count), average_seconds(sum_ms, days),
			     seconds(longest_ms));
	model_put_time(&wanted, figures.count > 0, figures.count > 0 ? figures.pieces[0].start_ms : 0);
	buffer_append_string(&wanted, ",\"lastEnd\":");
	model_put_time(&wanted, figures.count > 0, end_ms);
	buffer_append_string(&wanted, "}}]");
	sequence_expect_body(status, &wanted);
}

enum { UNITS = 4, DAY = 0, WEEK, MONTH, YEAR };

/* The first day of the period of a day, and of the one behind it. */
static void period_of(const struct user_model *user, int unit, int64_t day, int64_t *first, int64_t *next)
{
	time_t instant = (time_t)(day * (RANGE_DAY_MS / 1000));
	struct tm parts;

	if (unit == DAY || unit == WEEK) {
		int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
		*first = unit == DAY ? day : day - (weekday - (user->week_start - 1) + 7) % 7;
		*next = *first + (unit == DAY ? 1 : 7);
		return;
	}
	FUZZ_CHECK(gmtime_r(&instant, &parts));
	parts.tm_mday = 1;
	if (unit == YEAR)
		parts.tm_mon = 0;
	*first = timegm(&parts) / (RANGE_DAY_MS / 1000);
	if (unit == YEAR)
		parts.tm_year++;
	else
		parts.tm_mon++;
	*next = timegm(&parts) / (RANGE_DAY_MS / 1000);
}

static void put_period(struct buffer *wanted, const struct figures *figures, int unit, int64_t first, int64_t next,
		       bool filled)
{
	static const int label_sizes[UNITS] = {10, 10, 7, 4};
	int64_t start_ms = range_day_start_ms(figures->user, figures->range.zone, first);
	int64_t end_ms = range_day_start_ms(figures->user, figures->range.zone, next);
	int64_t ms = union_ms(figures, -1, start_ms, end_ms);
	unsigned sessions = 0, documents = 0;
	bool known[DOCUMENTS] = {false};
	char date[RANGE_DATE_SIZE];

	if (ms == 0 && !filled)
		return;
	for (unsigned i = 0; i < figures->count; i++) {
		const struct piece *piece = &figures->pieces[i];
		if (greater(piece->start_ms, start_ms) >= lesser(piece->end_ms, end_ms))
			continue;
		sessions++;
		documents += !known[piece->session->document];
		known[piece->session->document] = true;
	}
	buffer_append_string(wanted, wanted->size > 1 ? ",{\"period\":{\"start\":" : "{\"period\":{\"start\":");
	model_put_time(wanted, true, start_ms);
	buffer_append_string(wanted, ",\"end\":");
	model_put_time(wanted, true, end_ms);
	buffer_append_format(wanted, ",\"label\":\"%.*s\",\"seconds\":%lld,\"sessions\":%u,\"documents\":%u}}",
			     label_sizes[unit], range_date(first, date), seconds(ms), sessions, documents);
}

void figures_periods(void)
{
	static const char *const units[UNITS] = {"day", "week", "month", "year"};
	int status, user = sequence_choice(USERS), unit = sequence_choice(UNITS), fill = sequence_choice(3);
	int64_t first, last, next;
	struct buffer wanted = BUFFER_INIT;
	struct figures figures;
	char more[64];

	snprintf(more, sizeof more, ",\"unit\":\"%s\"%s", units[unit],
		 fill == 0   ? ""
		 : fill == 1 ? ",\"fill\":false"
			     : ",\"fill\":true");
	if (!ask("_getPeriods", user, &figures, more, &status))
		return;
	buffer_append_string(&wanted, "[");
	if (extent(&figures, &first, &last)) {
		for (int64_t day = first; day <= last; day = next) {
			period_of(figures.user, unit, day, &first, &next);
			put_period(&wanted, &figures, unit, first, next, fill == 2);
		}
	}
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void figures_hours(void)
{
	enum { HOUR_MS = 60 * 60 * 1000 };
	int status, user = sequence_choice(USERS);
	int64_t first, last, ms[7][24] = {{0}};
	struct buffer wanted = BUFFER_INIT;
	struct figures figures;

	if (!ask("_getHours", user, &figures, "", &status))
		return;
	if (extent(&figures, &first, &last)) {
		struct user_model midnight = {.day_start_minutes = 0};
		/* A reading day may reach into the next one of the calendar. */
		for (int64_t hour = 24 * (first - 1); hour < 24 * (last + 2); hour++) {
			int64_t begin_ms = range_day_start_ms(&midnight, figures.range.zone, 0) + hour * HOUR_MS;
			ms[(hour / 24 + 3) % 7][hour % 24] += union_ms(&figures, -1, begin_ms, begin_ms + HOUR_MS);
		}
	}
	buffer_append_string(&wanted, "[");
	for (int i = 0; i < 7 * 24; i++)
		buffer_append_format(&wanted, "%s{\"hour\":{\"weekday\":%d,\"hour\":%d,\"seconds\":%lld}}",
				     i > 0 ? "," : "", i / 24 + 1, i % 24, seconds(ms[i / 24][i % 24]));
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

struct document_figures {
	int number;
	int64_t ms;
};

static int compare(const void *a, const void *b)
{
	const struct document_figures *left = a, *right = b;

	if (left->ms != right->ms)
		return left->ms > right->ms ? -1 : 1;
	return left->number - right->number; /* they are sorted by id */
}

/* The report that came last, whatever the range and of open sessions too. -1 where there is none. */
static int last_progress(const struct figures *figures, int document)
{
	const struct session_model *last = NULL;

	for (unsigned i = 0; i < figures->session_count; i++) {
		const struct session_model *session = figures->sessions[i];
		if (session->document == document && range_selects(&figures->range, session) &&
		    session->progress >= 0 && (!last || session->progress_ms >= last->progress_ms))
			last = session;
	}
	return last ? last->progress : -1;
}

static void put_remaining(struct buffer *wanted, const struct figures *figures, int document, int progress)
{
	int64_t paced_ms = 0;
	int before = -1, made = 0;

	for (unsigned i = 0; i < figures->count; i++) {
		const struct piece *piece = &figures->pieces[i];
		if (piece->session->document != document || piece->session->progress < 0)
			continue;
		if (before >= 0 && piece->session->progress > before) {
			paced_ms += piece->end_ms - piece->start_ms;
			made += piece->session->progress - before;
		}
		before = piece->session->progress;
	}
	if (progress == 4)
		buffer_append_string(wanted, "0");
	else if (progress >= 0 && made > 0)
		buffer_append_format(wanted, "%lld", seconds(paced_ms * (4 - progress) / made));
	else
		buffer_append_string(wanted, "null");
}

static void put_document(struct buffer *wanted, const struct figures *figures, int document, int64_t ms)
{
	int64_t start_ms = INT64_MAX, end_ms = INT64_MIN;
	int progress = last_progress(figures, document);
	unsigned sessions = 0;

	for (unsigned i = 0; i < figures->count; i++) {
		const struct piece *piece = &figures->pieces[i];
		if (piece->session->document != document)
			continue;
		sessions++;
		start_ms = lesser(start_ms, piece->start_ms);
		end_ms = greater(end_ms, piece->end_ms);
	}
	buffer_append_format(wanted, "%s{\"document\":{\"document\":\"%s\",", wanted->size > 1 ? "," : "",
			     model_documents[document]);
	model_put_description(wanted, &figures->user->documents[document]);
	buffer_append_format(wanted,
			     ",\"seconds\":%lld,\"sessions\":%u,\"activeDays\":%lld,\"firstStart\":", seconds(ms),
			     sessions, (long long)active_days(figures, document));
	model_put_time(wanted, true, start_ms);
	buffer_append_string(wanted, ",\"lastEnd\":");
	model_put_time(wanted, true, end_ms);
	buffer_append_string(wanted, ",\"progress\":");
	model_put_progress(wanted, progress);
	buffer_append_string(wanted, ",\"remainingSeconds\":");
	put_remaining(wanted, figures, document, progress);
	buffer_append_string(wanted, "}}");
}

void figures_documents(void)
{
	int status, user = sequence_choice(USERS), count = 0;
	struct document_figures documents[DOCUMENTS];
	struct buffer wanted = BUFFER_INIT;
	struct figures figures;

	if (!ask("_getDocuments", user, &figures, "", &status))
		return;
	for (int i = 0; i < DOCUMENTS; i++) {
		bool any = false;
		for (unsigned k = 0; k < figures.count; k++)
			any = any || figures.pieces[k].session->document == i;
		if (any)
			documents[count++] = (struct document_figures){i, union_ms(&figures, i, INT64_MIN, INT64_MAX)};
	}
	qsort(documents, (size_t)count, sizeof documents[0], compare);
	buffer_append_string(&wanted, "[");
	for (int i = 0; i < count; i++)
		put_document(&wanted, &figures, documents[i].number, documents[i].ms);
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

/* Days in a row. */
struct streaks {
	int64_t today, current, longest, start, end, days;
	bool read_today;
};

static bool counts(const struct figures *figures, int64_t day, int64_t least_ms)
{
	int64_t ms = day_ms(figures, -1, day);

	return ms > 0 && ms >= least_ms;
}

static void find_streaks(const struct figures *figures, int64_t least_ms, struct streaks *streaks)
{
	int64_t first = 0, last = -1, length = 0, day;

	*streaks = (struct streaks){.today = range_day(figures->user, figures->range.zone, model.now_ms)};
	extent(figures, &first, &last);
	for (day = first; day <= last; day++) {
		length = counts(figures, day, least_ms) ? length + 1 : 0;
		streaks->days += length > 0;
		if (length > streaks->longest) {
			streaks->longest = length;
			streaks->start = day - length + 1;
			streaks->end = day;
		}
	}
	streaks->read_today = counts(figures, streaks->today, least_ms);
	for (day = streaks->today - !streaks->read_today; counts(figures, day, least_ms); day--)
		streaks->current++;
}

void figures_streaks(void)
{
	static const int leasts_s[] = {0, 1, 1800, 86400};
	int status, user = sequence_choice(USERS), choice = sequence_choice(5);
	int64_t least_ms = choice < 4 ? (int64_t)leasts_s[choice] * 1000 : 0;
	struct buffer wanted = BUFFER_INIT;
	struct figures figures;
	struct streaks streaks;
	char more[64] = "", start[RANGE_DATE_SIZE], end[RANGE_DATE_SIZE];

	if (choice < 4)
		snprintf(more, sizeof more, ",\"minSeconds\":%d", leasts_s[choice]);
	if (!ask("_getStreaks", user, &figures, more, &status))
		return;
	find_streaks(&figures, least_ms, &streaks);
	buffer_append_format(&wanted, "[{\"streak\":{\"currentDays\":%lld,\"longestDays\":%lld,",
			     (long long)streaks.current, (long long)streaks.longest);
	if (streaks.longest > 0)
		buffer_append_format(&wanted, "\"longestStart\":\"%s\",\"longestEnd\":\"%s\",",
				     range_date(streaks.start, start), range_date(streaks.end, end));
	else
		buffer_append_string(&wanted, "\"longestStart\":null,\"longestEnd\":null,");
	buffer_append_format(&wanted, "\"readToday\":%s}}]", streaks.read_today ? "true" : "false");
	sequence_expect_body(status, &wanted);
}

void figures_goal(void)
{
	int user = sequence_choice(USERS), other_zone = sequence_choice(ZONES + 1);
	struct figures figures = {.range = {.from_ms = INT64_MIN, .to_ms = INT64_MAX, .document = -1, .library = -1}};
	struct buffer wanted = BUFFER_INIT;
	struct streaks streaks;
	char more[64] = "", date[RANGE_DATE_SIZE];

	if (other_zone < ZONES)
		snprintf(more, sizeof more, ",\"timezone\":\"%s\"", model_zones[other_zone].name);
	int status = sequence_ask("_getGoal", ",\"user\":\"%s\"%s", model_user_name(user), more);
	int refusal = model_refuses_user(user);
	if (refusal != 0) {
		sequence_expect(status, refusal);
		return;
	}
	figures.range.zone = other_zone < ZONES ? other_zone : model.users[user].zone;
	collect(user, &figures);
	int64_t goal_ms = (int64_t)figures.user->goal_s * 1000;
	find_streaks(&figures, goal_ms, &streaks);
	buffer_append_format(
		&wanted,
		"[{\"goal\":{\"date\":\"%s\",\"goalSeconds\":%d,\"seconds\":%lld,\"reached\":%s,"
		"\"daysReached\":%lld,\"currentDays\":%lld}}]",
		range_date(streaks.today, date), figures.user->goal_s, seconds(day_ms(&figures, -1, streaks.today)),
		goal_ms > 0 && streaks.read_today ? "true" : "false", goal_ms > 0 ? (long long)streaks.days : 0LL,
		goal_ms > 0 ? (long long)streaks.current : 0LL);
	sequence_expect_body(status, &wanted);
}
