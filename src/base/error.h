/* What went wrong: one status, one text for the client, and what only the log may say.
 *
 * A function that can fail returns an enum status and fills a struct error that its caller owns;
 * layers add what they were doing on the way up (error_context). On failure outputs are untouched.
 */
#ifndef FOCUSSTATS_BASE_ERROR_H
#define FOCUSSTATS_BASE_ERROR_H

/* The ways a request can end. The API answers each with the HTTP status behind it. */
enum status {
	STATUS_OK,              /* 200 */
	STATUS_INVALID,         /* 400: the request is not what the action takes */
	STATUS_UNAUTHENTICATED, /* 401: nobody is signed in where somebody must be */
	STATUS_FORBIDDEN,       /* 403: acting for somebody else, or by a name that is not the service's */
	STATUS_NOT_FOUND,       /* 404: no such path, user or session */
	STATUS_METHOD,          /* 405: the path takes another method */
	STATUS_CONFLICT,        /* 409: it is in that state already */
	STATUS_TOO_LARGE,       /* 413: the body is over the limit */
	STATUS_MEDIA_TYPE,      /* 415: the body is not declared as JSON */
	STATUS_UNAVAILABLE,     /* 503: the store cannot do it now */
};

struct error {
	enum status status;
	char text[1024];  /* for the client: UTF-8, at most 1,023 bytes, cut at a character */
	char detail[512]; /* for the log only: paths, engine errors; "" where there is nothing to add */
};

/* Set the error, formatted as printf does; the detail is cleared. Returns status, for `return error_set(…)`. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Set what only the log says. Returns the status that the error has. */
enum status error_detail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put "context: " before the detail if there is one, otherwise before the text. Returns the error's status. */
enum status error_context(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
