// What does the service manager learn of the server?
// SPDX-License-Identifier: MIT
#include "signaling/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "signaling/store.h"

static const int64_t SECOND_US = 1000000;

// WATCHDOG_PID may name another process of the service.
static int64_t wanted_watchdog_us(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!us || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    int64_t wanted = strtoll(us, NULL, 10);
    return wanted > 0 ? wanted / 2 : 0; // twice as often as must be
}

void notify_open(struct notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *notify = (struct notify){.fd = -1};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') // an abstract name
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, len) < 0) {
        close(fd);
        fd = -1;
    }
    notify->fd = fd;
    notify->watchdog_us = wanted_watchdog_us();
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

__attribute__((format(printf, 2, 3))) static void tell(const struct notify *notify, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (notify->fd >= 0 && send(notify->fd, text, (size_t)len, MSG_NOSIGNAL) < 0)
        return; // it has gone, or its queue is full: the next one may pass
}

void notify_ready(struct notify *notify)
{
    tell(notify, "READY=1\nSTATUS=listening");
}

static void tell_status(struct notify *notify, const struct hub *hub)
{
    unsigned participants = hub->roster.participant_count;
    notify->status_us = hub->now_us;
    if (hub->is_draining)
        tell(notify, "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=draining, %u participants left",
             (long long)(4 * NOTIFY_STATUS_EVERY_S * SECOND_US), participants);
    else
        tell(notify, "STATUS=%u participants in %u rooms", participants, roster_room_count(&hub->roster));
}

void notify_tick(struct notify *notify, const struct hub *hub)
{
    if (notify->fd < 0)
        return;
    if (hub->now_us - notify->status_us >= NOTIFY_STATUS_EVERY_S * SECOND_US)
        tell_status(notify, hub);
    if (notify->watchdog_us && hub->now_us - notify->told_us >= notify->watchdog_us &&
        !load_is_stuck(&hub->load, hub->now_us) && !(hub->store && store_health(hub->store).is_stuck)) {
        notify->told_us = hub->now_us;
        tell(notify, "WATCHDOG=1");
    }
}

void notify_stopping(struct notify *notify)
{
    tell(notify, "STOPPING=1");
    notify->status_us = 0; // more time is asked for at once
}
