// How much does one user, or one place, do over all its sockets?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. A book of accounts has one for each key while a socket of it is open.
#pragma once

#include <glib.h>

#include "signaling/limits.h"

struct account {
    GHashTable *book;
    char *key;
    unsigned socket_count;
    struct bucket messages;
};

GHashTable *accounts_new(void); // g_hash_table_unref() when no account is left
unsigned accounts_sockets(GHashTable *book, const char *key);

// One socket more, or less; the last one ends the account. The bucket is that of the first.
struct account *account_open(GHashTable *book, const char *key, const struct bucket *messages);
void account_close(struct account *account); // NULL is allowed
