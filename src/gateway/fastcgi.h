/* The FastCGI gateway: a pool of workers that serve the web server's connections and those of relays, alike.
 *
 * No worker is bound to an idle connection: listeners and idle kept connections are in one epoll, and a worker takes what
 * is ready, serves one request and parks the connection again. libfcgi parses and answers on it.
 */
#ifndef FOCUSSTATS_GATEWAY_FASTCGI_H
#define FOCUSSTATS_GATEWAY_FASTCGI_H

#include "base/config.h"
#include "base/error.h"

#include <signal.h>

/* Have SIGTERM and SIGINT wait for fastcgi_serve. To be called before libfcgi is initialized, whose handler would take SIGTERM and do nothing about
 * it. *before becomes the signals that were blocked until then. */
void fastcgi_hold_signals(sigset_t *before);

/* Serve the listening socket that is descriptor 0 until SIGTERM or SIGINT, then drain: answer what is in hand, close the
 * store. STATUS_OK after that; STATUS_INVALID where the home folder cannot be used; STATUS_UNAVAILABLE where
 * the system lacks what it takes (memory, descriptors, threads). May end the process (struct store_options, fatal). */
enum status fastcgi_serve(const struct config *config, struct error *error);

#endif
