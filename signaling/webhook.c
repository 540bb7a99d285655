// How do other servers hear of what happens here, for certain and without anybody waiting for them?
// SPDX-License-Identifier: MIT
#include "signaling/webhook.h"

#include <glib.h>
#include <string.h>

#include "signaling/courier.h"
#include "signaling/crypto.h"
#include "signaling/log.h"
#include "signaling/message.h"

struct webhook {
    char **urls;         // owned
    const char *limited; // one of them, told of recordings only; or NULL
    struct store *store;
    struct courier *courier;
    GQueue unsettled; // of struct letter_box, in the order of their tickets
    struct webhook_health health;
};

// A parcel that the store does not have yet.
struct letter_box {
    uint64_t ticket;
    struct parcel *parcel;
};

// ---- out ----------------------------------------------------------------------------------------------------

static void send_settled(struct webhook *webhook, uint64_t settled)
{
    struct letter_box *box;
    while ((box = g_queue_peek_head(&webhook->unsettled)) && box->ticket <= settled) {
        courier_post(webhook->courier, box->parcel);
        g_free(g_queue_pop_head(&webhook->unsettled));
    }
}

// Whether the store will have it.
static bool post(struct webhook *webhook, const char *url, const char *id, const char *subject, const char *body,
                 int64_t wall_ms)
{
    if (webhook->health.waiting >= STORE_DELIVERIES_MAX) {
        if (webhook->health.lost++ % 1000 == 0)
            log_error("webhook", "%u deliveries wait: new events are lost", webhook->health.waiting);
        return false;
    }
    const struct store_delivery row = {
        .id = id, .url = url, .subject = subject, .body = body, .created_ms = wall_ms, .next_ms = wall_ms};
    struct letter_box *box = g_new0(struct letter_box, 1);
    box->ticket = store_put_delivery(webhook->store, &row);
    box->parcel = parcel_new(id, url, subject, body);
    box->parcel->created_ms = wall_ms;
    webhook->health.waiting++;
    g_queue_push_tail(&webhook->unsettled, box);
    return box->ticket != 0;
}

bool webhook_emit(struct webhook *webhook, const char *event, const char *subject, json_t *data, int64_t wall_ms)
{
    char id[37], timestamp[TIMESTAMP_SIZE];
    if (!webhook) {
        json_decref(data);
        return true;
    }
    crypto_uuid(id);
    timestamp_print(timestamp, wall_ms);
    json_t *json = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "event", event, "timestamp", timestamp, "data", data);
    char *body = json_dumps(json, MESSAGE_PRINT);
    bool is_recording = g_str_has_prefix(event, "recording."), is_safe = true;
    for (char **url = webhook->urls; *url; url++)
        if (is_recording || *url != webhook->limited)
            is_safe = post(webhook, *url, id, subject, body, wall_ms) && is_safe;
    free(body);
    json_decref(json);
    return is_safe;
}

// ---- news of the courier ------------------------------------------------------------------------------------

static void note(struct webhook *webhook, const struct parcel *parcel)
{
    const struct store_delivery row = {
        .id = parcel->id, .url = parcel->url, .attempts = parcel->attempts, .next_ms = parcel->next_ms};
    if (parcel->outcome == PARCEL_LATER) {
        webhook->health.tries_failed++;
        store_retry_delivery(webhook->store, &row);
        return;
    }
    webhook->health.waiting--;
    webhook->health.taken += parcel->outcome == PARCEL_TAKEN;
    webhook->health.lost += parcel->outcome == PARCEL_GIVEN_UP;
    store_end_delivery(webhook->store, parcel->id, parcel->url);
    if (parcel->outcome == PARCEL_GIVEN_UP)
        log_error("webhook", "event %s is given up after %u tries", parcel->id, parcel->attempts);
}

static void note_all(struct webhook *webhook)
{
    struct parcel *parcel;
    while ((parcel = courier_take(webhook->courier))) {
        note(webhook, parcel);
        parcel_free(parcel);
    }
}

void webhook_rx(struct webhook *webhook)
{
    if (!webhook)
        return;
    send_settled(webhook, store_settled(webhook->store));
    note_all(webhook);
}

struct webhook_health webhook_health(const struct webhook *webhook)
{
    return webhook ? webhook->health : (struct webhook_health){0};
}

// ---- a life -------------------------------------------------------------------------------------------------

static void take_up(void *arg, const struct store_delivery *row)
{
    struct webhook *webhook = arg;
    if (!g_strv_contains((const char *const *)webhook->urls, row->url)) {
        store_end_delivery(webhook->store, row->id, row->url);
        return;
    }
    struct parcel *parcel = parcel_new(row->id, row->url, row->subject, row->body);
    parcel->created_ms = row->created_ms;
    parcel->next_ms = row->next_ms;
    parcel->attempts = row->attempts;
    webhook->health.waiting++;
    courier_post(webhook->courier, parcel);
}

// WEBHOOK_URL and, unless it is one of them, RECORDING_WEBHOOK.
static void take_urls(struct webhook *webhook, const struct config *config)
{
    const char *more = config->recording_webhook;
    guint count = config->webhook_url ? g_strv_length(config->webhook_url) : 0;
    webhook->urls = g_new0(char *, count + 2);
    for (guint i = 0; i < count; i++)
        webhook->urls[i] = g_strdup(config->webhook_url[i]);
    if (more && !g_strv_contains((const char *const *)webhook->urls, more))
        webhook->limited = webhook->urls[count] = g_strdup(more);
}

struct webhook *webhook_new(const struct config *config, struct store *store, void (*wake)(void *arg), void *wake_arg)
{
    if ((!config->webhook_url || !config->webhook_url[0]) && !config->recording_webhook)
        return NULL;
    struct webhook *webhook = g_new0(struct webhook, 1);
    const struct courier_config settings = {
        .secret = config->webhook_secret,
        .retry_min_ms = COURIER_RETRY_MIN_MS,
        .timeout_ms = (unsigned)config->webhook_timeout * 1000,
        .wake = wake,
        .wake_arg = wake_arg,
    };
    take_urls(webhook, config);
    webhook->store = store;
    webhook->courier = courier_new(&settings);
    g_queue_init(&webhook->unsettled);
    if (store_find_deliveries(store, take_up, webhook) < 0)
        log_error("webhook", "the database cannot be read: what was to be delivered stays there");
    return webhook;
}

// What is not taken by now stays in the store.
void webhook_free(struct webhook *webhook)
{
    if (!webhook)
        return;
    send_settled(webhook, UINT64_MAX);
    courier_stop(webhook->courier, WEBHOOK_FINISH_MS);
    note_all(webhook);
    courier_free(webhook->courier);
    g_strfreev(webhook->urls);
    g_free(webhook);
}
