/* Readers: what store.h says of them, on the snapshots. */
#ifndef FOCUSSTATS_STORE_READER_H
#define FOCUSSTATS_STORE_READER_H

#include "store/snapshot.h"

enum status reader_open(struct snapshots *snapshots, struct store_reader **reader, struct error *error);

#endif
