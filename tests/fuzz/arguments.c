/* Fuzzing the body of a request: JSON and fields, of every action. The first byte tells which, the rest is the body. */
#include "fuzz.h"

#include "api/arguments.h"
#include "api/local.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct identifier nobody;
	struct arguments arguments = {0};
	struct error error = {.status = STATUS_OK};
	size_t count;
	const struct action *actions = action_table(&count);

	if (size == 0)
		return 0;
	const struct action *action = &actions[data[0] % count];
	const struct identifier *actor = data[0] & 0x80 ? &nobody : NULL;
	enum status status =
		arguments_parse(action, (struct text){(const char *)data + 1, size - 1}, actor, &arguments, &error);
	FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
	if (status == STATUS_OK)
		FUZZ_CHECK((action->required & ~arguments.given & ~FIELD_SET(USER)) == 0 || action->raw);
	else
		FUZZ_CHECK(error.text[0] && text_is_utf8(text_of(error.text)));
	arguments_release(&arguments);
	return 0;
}
