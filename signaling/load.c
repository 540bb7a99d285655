// How busy are the media threads, and does each still move?
// SPDX-License-Identifier: MIT
#include "signaling/load.h"

#include <glib.h>
#include <string.h>

#include "signaling/stats.h"

static const int64_t SECOND_US = 1000000;
static const char DROP[] = "drop_";

#define WORKER(field)                                                                                                \
    {                                                                                                                \
#field, offsetof(struct load_worker, field)                                                                  \
    }

static const struct pairs_number worker_numbers[] = {
    WORKER(rooms),        WORKER(peers),        WORKER(cpu_us),      WORKER(letter_us),  WORKER(late_us),
    WORKER(connected),    WORKER(ice_failed),   WORKER(dtls_failed), WORKER(nacks_tx),   WORKER(nacks_rx),
    WORKER(keyframes_tx), WORKER(keyframes_rx), WORKER(resent),      WORKER(rx_packets), WORKER(rx_bytes),
    WORKER(tx_packets),   WORKER(tx_bytes),     WORKER(tap_packets), WORKER(tap_bytes),  {0},
};

void load_tick(struct load *load, struct sfu *sfu, int64_t now_us)
{
    if (load->asked_us && now_us - load->asked_us < LOAD_EVERY_S * SECOND_US)
        return;
    unsigned count = MIN(sfu_worker_count(sfu), (unsigned)LOAD_WORKERS_MAX);
    for (; load->worker_count < count; load->worker_count++)
        load->workers[load->worker_count].answered_us = now_us; // its time begins with the first question
    for (unsigned i = 0; i < count; i++)
        if (load->workers[i].waiting_us == 0)
            load->workers[i].waiting_us = now_us;
    load->asked_us = now_us;
    sfu_ask_load(sfu, 0);
}

static void take_drop(struct load *load, unsigned worker, const struct pairs *pairs)
{
    const char *reason = pairs->key + strlen(DROP);
    unsigned i = 0;
    while (i < load->reason_count && strcmp(load->reasons[i], reason) != 0)
        i++;
    if (i == LOAD_DROPS_MAX || strlen(reason) >= LOAD_REASON_MAX)
        return;
    if (i == load->reason_count)
        g_strlcpy(load->reasons[load->reason_count++], reason, LOAD_REASON_MAX);
    load->drops[worker][i] = g_ascii_strtoll(pairs->value, NULL, 10);
}

void load_rx(struct load *load, const struct sfu_event *event, int64_t now_us)
{
    struct pairs pairs;
    const char *text = event->text ? event->text : "";
    if (event->peer >= load->worker_count || !pairs_line(&pairs, &text))
        return;
    struct load_worker *worker = &load->workers[event->peer];
    struct load_worker before = *worker;
    while (pairs_next(&pairs)) {
        pairs_take(&pairs, worker_numbers, worker);
        if (g_str_has_prefix(pairs.key, DROP))
            take_drop(load, (unsigned)event->peer, &pairs);
    }
    worker->answered_us = now_us;
    worker->waiting_us = 0;
    int64_t passed_us = now_us - before.answered_us;
    if (before.cpu_us && passed_us > 0)
        worker->busy = CLAMP((double)(worker->cpu_us - before.cpu_us) / (double)passed_us, 0.0, 1.0);
}

bool load_is_stuck(const struct load *load, int64_t now_us)
{
    for (unsigned i = 0; i < load->worker_count; i++)
        if (load->workers[i].waiting_us && now_us - load->workers[i].waiting_us >= LOAD_STUCK_S * SECOND_US)
            return true;
    return false;
}
