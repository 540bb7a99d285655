// What does the service manager learn of the server? (sd_notify(3): ready, alive, stopping)
// SPDX-License-Identifier: MIT
//
// The protocol is one datagram to the socket that NOTIFY_SOCKET names, a promise of systemd's; libsystemd would bring
// its compression libraries along for it. Without a service manager every function does nothing. The signaling
// thread.
#pragma once

#include "signaling/session.h"

enum { NOTIFY_STATUS_EVERY_S = 5 };

struct notify {
    int fd;              // -1: nobody listens
    int64_t watchdog_us; // how often to say that all is well; 0: nobody wants to know
    int64_t told_us, status_us;
};

void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

void notify_ready(struct notify *notify);
// Every tick: that the server is alive, unless a media thread stands still; how it is; and while it drains, that it
// needs more time.
void notify_tick(struct notify *notify, const struct hub *hub);
void notify_stopping(struct notify *notify);
