// How do threads speak to each other? By mail: many writers, one reader, never a shared structure.
// SPDX-License-Identifier: MIT
//
// A letter is any struct that begins with a `struct mail`; ownership passes with the letter. mailbox_post() may be
// called from any thread; it never blocks. The reader is woken once when the box goes from empty to non-empty,
// then takes everything at once, in the order posted.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct mail {
    struct mail *next;
};

struct mailbox {
    _Atomic(struct mail *) head; // newest first
    int fd;                      // an eventfd that is readable while letters may wait; -1 with a wake function
    void (*wake)(void *arg);
    void *wake_arg;
};

// With wake NULL the box has an eventfd for the reader's poll; otherwise wake is called from the posting thread.
void mailbox_init(struct mailbox *box, void (*wake)(void *arg), void *wake_arg);

// The reader must have taken and freed every letter, and no writer may be left.
void mailbox_close(struct mailbox *box);

void mailbox_post(struct mailbox *box, struct mail *mail);

// Everything posted so far, oldest first, NULL if nothing; also resets the eventfd. Reader only.
struct mail *mailbox_take(struct mailbox *box);
