// By which of our sockets does one browser reach us?
// SPDX-License-Identifier: MIT
#include "sfu/twins.h"

#include <unistd.h>

#include "sfu/path.h"

void twins_init(struct twins *twins, struct worker *worker, twins_rx_h *rx, void *arg)
{
    *twins = (struct twins){.worker = worker, .rx = rx, .arg = arg};
}

void twins_close(struct twins *twins)
{
    for (unsigned i = 0; i < twins->count; i++) {
        worker_unwatch(twins->worker, &twins->twin[i].watch);
        close(twins->twin[i].watch.fd);
    }
    twins->count = 0;
}

static void ready(void *arg, int64_t now_us)
{
    struct twin *twin = arg;
    struct twins *twins = twin->twins;
    struct packet *packets[WORKER_RX_BATCH];
    const union sockaddr_any *from = NULL;
    int count = worker_receive(twins->worker, twin->watch.fd, packets, &from);
    twins->rx(twins->arg, twin->watch.fd, packets, from, count, now_us);
}

bool twins_add(struct twins *twins, int fd, const union sockaddr_any *local)
{
    if (twins->count == ICE_TWIN_MAX)
        return false;
    struct twin *twin = &twins->twin[twins->count];
    *twin = (struct twin){.watch = {fd, ready, twin, false}, .local = *local, .twins = twins};
    if (worker_watch(twins->worker, &twin->watch) < 0)
        return false;
    twins->count++;
    return true;
}

int twins_fd(const struct twins *twins, const union sockaddr_any *local)
{
    for (unsigned i = 0; i < twins->count; i++) {
        if (address_is_same(&twins->twin[i].local, local))
            return twins->twin[i].watch.fd;
    }
    return -1;
}

const union sockaddr_any *twins_local(const struct twins *twins, int fd)
{
    for (unsigned i = 0; i < twins->count; i++) {
        if (twins->twin[i].watch.fd == fd)
            return &twins->twin[i].local;
    }
    return NULL;
}

void twins_set_patient(struct twins *twins, bool patient)
{
    for (unsigned i = 0; i < twins->count; i++)
        worker_set_patient(twins->worker, &twins->twin[i].watch, patient);
}
