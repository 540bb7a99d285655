// Who takes webhooks in a test? (a small HTTP server on loopback, that answers by path)
// SPDX-License-Identifier: MIT
//
// /ok: 200. /flaky: 500 twice, then 200. /redirect: 302 to /ok. /gone: 410. /big: 200 and a megabyte. /never: no
// answer as long as it lives. Threads of its own.
#pragma once

#include <glib.h>

struct receiver;

struct receiver *receiver_new(int port); // 0: any
void receiver_free(struct receiver *receiver);
int receiver_port(const struct receiver *receiver);

// The request number `n` (from 0) to that path, waited for; "<head>\r\n\r\n<body>". Valid as long as the receiver.
const char *receiver_wait(struct receiver *receiver, const char *path, unsigned n);
unsigned receiver_count(struct receiver *receiver, const char *path);
