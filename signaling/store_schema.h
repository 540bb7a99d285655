// Which tables are there, and how does an older database become one of today?
// SPDX-License-Identifier: MIT
#pragma once

#include <glib.h>

#include "signaling/db.h"

enum { STORE_VERSION = 1 }; // of the tables (user_version)

// Makes the database fit to be written by this program: pragmas, whole, not newer than we are, brought up to
// STORE_VERSION in one transaction. 0, or -errno and one sentence in err.
int store_schema_open(struct db *db, bool is_full_sync, char *err, size_t err_size);

// Closes the calls that a process which died left open; their ids are appended to `ids`, g_strdup()ed.
int store_schema_recover(struct db *db, GPtrArray *ids);
