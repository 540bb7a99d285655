// How do threads speak to each other?
// SPDX-License-Identifier: MIT
#include "sfu/mailbox.h"

#include <assert.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

void mailbox_init(struct mailbox *box, void (*wake)(void *arg), void *wake_arg)
{
    *box = (struct mailbox){.fd = -1, .wake = wake, .wake_arg = wake_arg};
    if (wake)
        return;
    box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(box->fd >= 0);
}

void mailbox_close(struct mailbox *box)
{
    assert(atomic_load(&box->head) == NULL);
    if (box->fd >= 0)
        close(box->fd);
    box->fd = -1;
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
    struct mail *head = atomic_load_explicit(&box->head, memory_order_relaxed);
    do {
        mail->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&box->head, &head, mail, memory_order_release, memory_order_relaxed));
    // Only the letter that found the box empty wakes the reader: a burst costs one system call.
    if (head)
        return;
    if (box->wake) {
        box->wake(box->wake_arg);
        return;
    }
    uint64_t one = 1;
    ssize_t n = write(box->fd, &one, sizeof(one));
    (void)n; // EAGAIN: the counter is full, so the reader is being woken anyway
}

static struct mail *reversed(struct mail *newest)
{
    struct mail *oldest = NULL;
    while (newest) {
        struct mail *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

struct mail *mailbox_take(struct mailbox *box)
{
    // Reset first: a letter posted after the exchange then makes the eventfd readable again.
    if (box->fd >= 0) {
        uint64_t count;
        ssize_t n = read(box->fd, &count, sizeof(count));
        (void)n; // EAGAIN: nobody rang
    }
    return reversed(atomic_exchange_explicit(&box->head, NULL, memory_order_acquire));
}
