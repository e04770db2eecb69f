/* JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them) of what requests take and answers give, made from the tables of
 * fields (field.h) and answers (answer.h). */
#ifndef FOCUSSTATS_API_JSON_SCHEMA_H
#define FOCUSSTATS_API_JSON_SCHEMA_H

#include "api/answer.h"
#include "api/writer.h"

/* Each writes one schema, with its key. Lengths are in bytes for the service and in characters for a schema, so that the
 * schema lets pass what only the service can tell. */
void json_schema_put_request(struct writer *writer, const char *key, uint32_t required, uint32_t optional);
void json_schema_put_answer(struct writer *writer, const char *key, const struct answer_shape *shape);

/* An object with one string. */
void json_schema_put_error(struct writer *writer, const char *key);

#endif
