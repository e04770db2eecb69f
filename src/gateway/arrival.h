/* How much of a FastCGI request has arrived on a connection: looked at without taking it from the socket. */
#ifndef FOCUSSTATS_GATEWAY_ARRIVAL_H
#define FOCUSSTATS_GATEWAY_ARRIVAL_H

#include <stdbool.h>

enum { PARAMETER_MAX_BYTES = 1 << 20 }; /* of a name and its value */

enum arrival {
	ARRIVED_NOTHING,
	ARRIVED_PART,
	ARRIVED_WHOLE, /* also the end of the connection, and what is too large to tell */
	ARRIVED_BAD,   /* a name or value that is too large: libfcgi must not see it */
};

/* A request ends with an empty record of FCGI_STDIN (FastCGI Specification 1.0, 5.3). *more becomes whether libfcgi, with its first read, may
 * leave some of what is there. */
enum arrival arrival_look(int connection, bool *more);

#endif
