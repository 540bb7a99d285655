// How do a room's packets reach the recorder without the worker ever waiting?
// SPDX-License-Identifier: MIT
#include "sfu/record_queue.h"

#include <glib.h>
#include <string.h>

struct record_queue {
    // fixed at birth
    struct record_inbox *inbox;

    // the worker's
    struct record_batch *batch; // being filled; NULL: none

    // the writer's
    void *owner;

    // both
    atomic_size_t queued; // bytes posted and not yet written
    atomic_bool refused;
    atomic_bool keyframe[RECORD_TRACKS_MAX];
};

void record_inbox_init(struct record_inbox *inbox)
{
    mailbox_init(&inbox->box, NULL, NULL);
    atomic_init(&inbox->queued, 0);
}

void record_inbox_close(struct record_inbox *inbox)
{
    g_assert(atomic_load(&inbox->queued) == 0);
    mailbox_close(&inbox->box);
}

void record_inbox_stop(struct record_inbox *inbox)
{
    struct record_batch *last = g_new0(struct record_batch, 1);
    mailbox_post(&inbox->box, &last->mail);
}

// ---- the worker's half -------------------------------------------------------------------------------------------

struct record_queue *record_queue_new(struct record_inbox *inbox)
{
    struct record_queue *q = g_new0(struct record_queue, 1);
    q->inbox = inbox;
    return q;
}

static size_t item_size(size_t len)
{
    return (sizeof(struct record_item) + len + 7) & ~(size_t)7;
}

static bool is_full(struct record_queue *q)
{
    return atomic_load_explicit(&q->queued, memory_order_relaxed) >= RECORD_QUEUE_MAX ||
           atomic_load_explicit(&q->inbox->queued, memory_order_relaxed) >= RECORD_INBOX_MAX;
}

static void open_batch(struct record_queue *q)
{
    q->batch = g_malloc(sizeof(*q->batch) + RECORD_BATCH_LEN);
    *q->batch = (struct record_batch){.queue = q};
}

bool record_queue_put(struct record_queue *q, const struct record_item *item, const void *data, size_t len)
{
    size_t size = item_size(len);
    bool may_drop = item->kind == RECORD_PACKET || item->kind == RECORD_NOTE;
    g_assert(size <= RECORD_BATCH_LEN);
    if (may_drop && is_full(q))
        return false;
    if (q->batch && q->batch->len + size > RECORD_BATCH_LEN)
        record_queue_flush(q, item->at_us);
    if (!q->batch)
        open_batch(q);
    struct record_item *to = (struct record_item *)(void *)(q->batch->data + q->batch->len);
    *to = *item;
    to->len = (uint32_t)len;
    if (len)
        memcpy(to->data, data, len);
    q->batch->len += size;
    return true;
}

bool record_queue_put_text(struct record_queue *q, const struct record_item *item, const char *text)
{
    return record_queue_put(q, item, text, strlen(text) + 1);
}

void record_queue_flush(struct record_queue *q, int64_t now_us)
{
    if (!q->batch)
        open_batch(q); // says what time it is
    struct record_batch *batch = q->batch;
    q->batch = NULL;
    batch->sent_us = now_us;
    atomic_fetch_add_explicit(&q->queued, batch->len, memory_order_relaxed);
    atomic_fetch_add_explicit(&q->inbox->queued, batch->len, memory_order_relaxed);
    mailbox_post(&q->inbox->box, &batch->mail);
}

bool record_queue_take_keyframe(struct record_queue *q, uint16_t track)
{
    return atomic_load_explicit(&q->keyframe[track], memory_order_relaxed) &&
           atomic_exchange_explicit(&q->keyframe[track], false, memory_order_relaxed);
}

bool record_queue_is_refused(const struct record_queue *q)
{
    return atomic_load_explicit(&q->refused, memory_order_relaxed);
}

// ---- the writer's half -------------------------------------------------------------------------------------------

const struct record_item *record_batch_next(const struct record_batch *batch, const struct record_item *item)
{
    const uint8_t *at = item ? (const uint8_t *)item + item_size(item->len) : batch->data;
    return at < batch->data + batch->len ? (const struct record_item *)(const void *)at : NULL;
}

void record_batch_free(struct record_batch *batch)
{
    if (batch->queue) {
        atomic_fetch_sub_explicit(&batch->queue->queued, batch->len, memory_order_relaxed);
        atomic_fetch_sub_explicit(&batch->queue->inbox->queued, batch->len, memory_order_relaxed);
    }
    g_free(batch);
}

void record_queue_want_keyframe(struct record_queue *q, uint16_t track)
{
    atomic_store_explicit(&q->keyframe[track], true, memory_order_relaxed);
}

void record_queue_refuse(struct record_queue *q)
{
    atomic_store_explicit(&q->refused, true, memory_order_relaxed);
}

void record_queue_set_owner(struct record_queue *q, void *owner)
{
    q->owner = owner;
}

void *record_queue_owner(const struct record_queue *q)
{
    return q->owner;
}

void record_queue_free(struct record_queue *q)
{
    g_free(q);
}
