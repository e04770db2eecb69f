/* Runs a target without libFuzzer: its inputs are the files that are named, and those in the folders that are. For `make fuzz-coverage`. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static unsigned inputs;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat info;

	FUZZ_CHECK(file && fstat(fileno(file), &info) == 0);
	size_t size = (size_t)info.st_size;
	uint8_t *data = malloc(size + 1);
	FUZZ_CHECK(data && fread(data, 1, size, file) == size);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	inputs++;
}

static void run_folder(const char *path, DIR *folder)
{
	char name[4096];

	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		if (entry->d_name[0] == '.')
			continue;
		FUZZ_CHECK((size_t)snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < sizeof name);
		run_file(name);
	}
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++) {
		DIR *folder = opendir(arguments[i]);
		if (folder) {
			run_folder(arguments[i], folder);
			closedir(folder);
		} else {
			run_file(arguments[i]);
		}
	}
	printf("%s: %u inputs\n", arguments[0], inputs);
	return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
