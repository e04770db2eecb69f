/* Lines for the web server's log: one line an event, each with the time and the process. */
#ifndef FOCUSSTATS_BASE_LOG_H
#define FOCUSSTATS_BASE_LOG_H

#include <stddef.h>

enum {
	LOG_LINE_SIZE = 2048, /* the longest line, its newline included; what is beyond is cut */
	LOG_REPEATED_PER_SECOND = 5,
};

/* Format "TIME focusstats[PID]: message\n" into line, at most LOG_LINE_SIZE bytes. What is no
 * character, or would begin a line or steer a terminal, becomes '?' (text_make_visible), so that no client can forge one. Returns the line's size in bytes. */
size_t log_format(char line[LOG_LINE_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write such a line to standard error, in one write(2). */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for what can come again and again while something is wrong: beyond LOG_REPEATED_PER_SECOND such lines are
 * dropped, and the next one that is written says how many. */
void log_repeated(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
