/* Log lines; see log.h. */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static size_t format_line(char line[LOG_LINE_SIZE], const char *format, va_list list)
{
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	size_t head = strftime(line, LOG_LINE_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	head += (size_t)snprintf(line + head, LOG_LINE_SIZE - head, ".%03dZ focusstats[%ld]: ", (int)(now_ms % 1000),
				 (long)getpid());
	vsnprintf(line + head, LOG_LINE_SIZE - head, format, list);
	size_t size = strlen(line);
	if (size > LOG_LINE_SIZE - 2)
		size = LOG_LINE_SIZE - 2;
	size = head + text_make_visible(line + head, size - head);
	line[size] = '\n';
	line[size + 1] = '\0';
	return size + 1;
}

size_t log_format(char line[LOG_LINE_SIZE], const char *format, ...)
{
	va_list list;

	va_start(list, format);
	size_t size = format_line(line, format, list);
	va_end(list);
	return size;
}

static void put(const char *line, size_t size)
{
	ssize_t written = write(STDERR_FILENO, line, size);
	(void)written; /* where the log cannot be written there is nobody left to tell */
}

void log_line(const char *format, ...)
{
	char line[LOG_LINE_SIZE];
	va_list list;

	va_start(list, format);
	size_t size = format_line(line, format, list);
	va_end(list);
	put(line, size);
}

/* Whether there is room for one more line in this second; *lost is how many were dropped before it. */
static bool admit(unsigned *lost)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static int64_t second;
	static unsigned lines, dropped;
	int64_t now = clock_boot_ms() / 1000;

	pthread_mutex_lock(&mutex);
	if (now != second) {
		second = now;
		lines = 0;
	}
	bool room = lines < LOG_REPEATED_PER_SECOND;
	if (room) {
		lines++;
		*lost = dropped;
		dropped = 0;
	} else {
		dropped++;
	}
	pthread_mutex_unlock(&mutex);
	return room;
}

void log_repeated(const char *format, ...)
{
	char line[LOG_LINE_SIZE];
	va_list list;
	unsigned lost;

	if (!admit(&lost))
		return;
	if (lost > 0)
		log_line("%u lines were dropped here: more than %d in a second", lost, LOG_REPEATED_PER_SECOND);
	va_start(list, format);
	size_t size = format_line(line, format, list);
	va_end(list);
	put(line, size);
}
