/* Fuzzing instants, dates, the times of other programs, names of zones and the files of the zone database. What reads must be written as
 * something that reads the same. */
#include "fuzz.h"

#include "base/date.h"
#include "base/zone.h"
#include "base/zone_file.h"
#include "domain/instant.h"
#include "tool/foreign_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {(const char *)data, size};
	struct error error;
	int64_t ms, again;
	struct zone_file file;
	struct zone_rule rule;
	int32_t day, day_again;

	if (instant_parse(text, &ms)) {
		char written[INSTANT_TEXT_SIZE];
		FUZZ_CHECK(ms >= 0 && ms <= INSTANT_MAX_MS);
		instant_format(ms, written);
		FUZZ_CHECK(instant_parse((struct text){written, sizeof written}, &again) && again == ms);
		FUZZ_CHECK(foreign_time_read(text, "time", &again, &error) == STATUS_OK && again == ms);
	}
	if (foreign_time_read(text, "time", &ms, &error) == STATUS_OK)
		FUZZ_CHECK(ms >= 0 && ms <= INSTANT_MAX_MS);
	if (date_parse(text, &day)) {
		char written[DATE_TEXT_SIZE];
		date_format(day, written);
		FUZZ_CHECK(text_equal((struct text){written, sizeof written}, text));
		FUZZ_CHECK(date_parse((struct text){written, sizeof written}, &day_again) && day_again == day);
	}
	const struct zone *zone = zone_find(text);
	if (zone) {
		zone_offset_ms(zone, INT64_C(1700000000000), &ms);
		FUZZ_CHECK(ms > INT64_C(1700000000000));
	}
	zone_file_read(text, &file);
	if (zone_rule_parse(text, &rule) && rule.has_summer)
		zone_rule_changes(&rule, 2025, &ms, &again);
	return 0;
}
