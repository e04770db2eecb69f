/* Writing iCalendar (RFC 5545): an event for each session that has ended, in UTC, with the session's id as its UID. */
#ifndef FOCUSSTATS_TOOL_EXPORT_ICALENDAR_H
#define FOCUSSTATS_TOOL_EXPORT_ICALENDAR_H

#include "tool/export.h"

extern const struct export_format export_icalendar;

#endif
