// Has the certificate been renewed? (TLS_CERT and TLS_KEY, watched while the server runs)
// SPDX-License-Identifier: MIT
//
// Whoever renews writes two files, one after the other: a pair is only taken when the two belong together. The
// signaling thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/config.h"

enum { TLS_FILES_EVERY_S = 5 };

struct tls_files {
    const char *cert, *key; // of the configuration; NULL: no TLS
    int64_t looked_us;
    int64_t taken[2][3]; // what the pair in use looked like: inode, time, size of each
    bool has_complained; // about the files as they are now
};

// Remembers the files as they are: in use.
void tls_files_init(struct tls_files *files, const struct config *config);

// True when another pair that belongs together is there, and the server is to load it now. Looks every
// TLS_FILES_EVERY_S, or at once when asked.
bool tls_files_changed(struct tls_files *files, bool at_once, int64_t now_us);
