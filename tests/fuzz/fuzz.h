/* What the targets of libFuzzer (https://llvm.org/docs/LibFuzzer.html) share: each is one file, TARGET.c, whose inputs are
 * whatever bytes; corpus/TARGET has those to begin with, and those that once found something.
 */
#ifndef FOCUSSTATS_TESTS_FUZZ_FUZZ_H
#define FOCUSSTATS_TESTS_FUZZ_FUZZ_H

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input under which this does not hold is a finding. */
#define FUZZ_CHECK(holds) \
	do { \
		if (!(holds)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
			abort(); \
		} \
	} while (0)

#endif
