/* Writing JSON; see writer.h. */
#include "api/writer.h"

static void begin(struct writer *writer, const char *key)
{
	if (writer->comma)
		buffer_append(writer->out, ",", 1);
	if (key) {
		buffer_append_json(writer->out, text_of(key));
		buffer_append(writer->out, ":", 1);
	}
	writer->comma = true;
}

static void open_bracket(struct writer *writer, const char *key, const char *bracket)
{
	begin(writer, key);
	buffer_append_string(writer->out, bracket);
	writer->comma = false;
}

static void close_bracket(struct writer *writer, const char *bracket)
{
	buffer_append_string(writer->out, bracket);
	writer->comma = true;
}

void writer_begin_object(struct writer *writer, const char *key)
{
	open_bracket(writer, key, "{");
}

void writer_end_object(struct writer *writer)
{
	close_bracket(writer, "}");
}

void writer_begin_array(struct writer *writer, const char *key)
{
	open_bracket(writer, key, "[");
}

void writer_end_array(struct writer *writer)
{
	close_bracket(writer, "]");
}

void writer_string(struct writer *writer, const char *key, const char *string)
{
	begin(writer, key);
	buffer_append_json(writer->out, text_of(string));
}

void writer_integer(struct writer *writer, const char *key, long long integer)
{
	begin(writer, key);
	buffer_append_format(writer->out, "%lld", integer);
}

void writer_boolean(struct writer *writer, const char *key, bool boolean)
{
	begin(writer, key);
	buffer_append_string(writer->out, boolean ? "true" : "false");
}
