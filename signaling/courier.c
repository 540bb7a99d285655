// How are events posted to other servers, over and over until they are taken? (the only file that knows libcurl)
// SPDX-License-Identifier: MIT
#include "signaling/courier.h"

#include <curl/curl.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "signaling/crypto.h"
#include "signaling/log.h"

enum { CONNECT_MS = 5000, IDLE_MS = 60000, HTTP_GONE = 410 };

struct courier {
    // Never changed while the thread runs.
    char *secret;
    unsigned retry_min_ms, timeout_ms;
    void (*wake)(void *arg);
    void *wake_arg;
    pthread_t thread;
    CURLM *multi;

    // Of its thread.
    GQueue parcels; // in the order they came
    unsigned flying;
    int64_t next_us; // when one of them is due; INT64_MAX: none waits for its time

    // Of both, under the lock.
    pthread_mutex_t lock;
    GQueue in, out;  // of struct parcel
    int64_t stop_us; // when to stop at the latest; 0: go on
};

// One request under way.
struct flight {
    struct parcel *parcel;
    CURL *handle;
    struct curl_slist *headers;
    size_t read;
};

struct parcel *parcel_new(const char *id, const char *url, const char *subject, const char *body)
{
    struct parcel *parcel = g_new0(struct parcel, 1);
    parcel->id = g_strdup(id);
    parcel->url = g_strdup(url);
    parcel->subject = g_strdup(subject);
    parcel->body = g_strdup(body);
    return parcel;
}

void parcel_free(struct parcel *parcel)
{
    g_free(parcel->id);
    g_free(parcel->url);
    g_free(parcel->subject);
    g_free(parcel->body);
    g_free(parcel);
}

void courier_sign(char out[SIGNATURE_SIZE], const char *secret, int64_t unix_s, const char *body)
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    char *text = g_strdup_printf("%" PRId64 ".%s", unix_s, body);
    crypto_hmac_sha256(secret, text, strlen(text), mac);
    int n = g_snprintf(out, SIGNATURE_SIZE, "t=%" PRId64 ",v1=", unix_s);
    for (size_t i = 0; i < sizeof(mac); i++)
        n += g_snprintf(out + n, (gulong)(SIGNATURE_SIZE - n), "%02x", mac[i]);
    g_free(text);
}

// ---- what became of it --------------------------------------------------------------------------------------

static void report(struct courier *courier, struct parcel *parcel)
{
    pthread_mutex_lock(&courier->lock);
    g_queue_push_tail(&courier->out, parcel);
    pthread_mutex_unlock(&courier->lock);
    courier->wake(courier->wake_arg);
}

static void try_later(struct courier *courier, struct parcel *parcel)
{
    unsigned doublings = MIN(parcel->attempts - 1, 20u);
    int64_t wait_ms = MIN((int64_t)courier->retry_min_ms << doublings, COURIER_RETRY_MAX_MS);
    wait_ms = wait_ms / 2 + g_random_int_range(0, (gint32)wait_ms + 1);
    parcel->due_us = g_get_monotonic_time() + wait_ms * 1000;
    parcel->next_ms = g_get_real_time() / 1000 + wait_ms;
    struct parcel *news = parcel_new(parcel->id, parcel->url, parcel->subject, NULL);
    news->attempts = parcel->attempts;
    news->next_ms = parcel->next_ms;
    news->outcome = PARCEL_LATER;
    report(courier, news);
}

static void conclude(struct courier *courier, struct parcel *parcel, long status)
{
    int64_t age_ms = g_get_real_time() / 1000 - parcel->created_ms;
    parcel->attempts++;
    bool is_taken = status >= 200 && status < 300;
    if (!is_taken && status != HTTP_GONE && age_ms < PARCEL_AGE_MAX_S * INT64_C(1000))
        return try_later(courier, parcel);
    parcel->outcome = is_taken ? PARCEL_TAKEN : PARCEL_GIVEN_UP;
    g_queue_remove(&courier->parcels, parcel);
    report(courier, parcel);
}

// ---- a request ----------------------------------------------------------------------------------------------

// The answer's body is of no interest, and of too great a length not even read.
static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct flight *flight = arg;
    (void)data;
    flight->read += size * count;
    return flight->read > COURIER_ANSWER_MAX ? 0 : size * count;
}

static void set_options(CURL *handle, const struct courier *courier, struct flight *flight)
{
    const struct parcel *parcel = flight->parcel;
    curl_easy_setopt(handle, CURLOPT_URL, parcel->url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)courier->timeout_ms);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "roda/" RODA_VERSION);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, flight->headers);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)strlen(parcel->body));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, parcel->body);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, flight);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, flight);
}

static void take_off(struct courier *courier, struct parcel *parcel)
{
    struct flight *flight = g_new0(struct flight, 1);
    char signature[SIGNATURE_SIZE], header[SIGNATURE_SIZE + 32];
    courier_sign(signature, courier->secret, g_get_real_time() / G_USEC_PER_SEC, parcel->body);
    g_snprintf(header, sizeof(header), "X-Roda-Signature: %s", signature);
    flight->parcel = parcel;
    flight->headers = curl_slist_append(flight->headers, header);
    flight->headers = curl_slist_append(flight->headers, "Content-Type: application/json");
    flight->headers = curl_slist_append(flight->headers, "Expect:");
    flight->handle = curl_easy_init();
    set_options(flight->handle, courier, flight);
    curl_multi_add_handle(courier->multi, flight->handle);
    parcel->flight = flight;
    courier->flying++;
}

static void flight_free(struct courier *courier, struct flight *flight)
{
    curl_multi_remove_handle(courier->multi, flight->handle);
    curl_easy_cleanup(flight->handle);
    curl_slist_free_all(flight->headers);
    flight->parcel->flight = NULL;
    g_free(flight);
    courier->flying--;
}

static void land(struct courier *courier, CURL *handle, CURLcode rc)
{
    struct flight *flight;
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &flight);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    bool is_answered = rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && flight->read > COURIER_ANSWER_MAX);
    struct parcel *parcel = flight->parcel;
    log_debug("webhook", "%s: %s, status %ld", parcel->id, curl_easy_strerror(rc), status);
    flight_free(courier, flight);
    conclude(courier, parcel, is_answered ? status : 0);
}

// ---- the thread ---------------------------------------------------------------------------------------------

static void take_in(struct courier *courier, int64_t now_us)
{
    struct parcel *parcel;
    int64_t now_ms = g_get_real_time() / 1000;
    pthread_mutex_lock(&courier->lock);
    while ((parcel = g_queue_pop_head(&courier->in))) {
        parcel->due_us = now_us + (parcel->next_ms > now_ms ? (parcel->next_ms - now_ms) * 1000 : 0);
        g_queue_push_tail(&courier->parcels, parcel);
        courier->next_us = now_us;
    }
    pthread_mutex_unlock(&courier->lock);
}

static GHashTable *count_lanes(const struct courier *courier)
{
    GHashTable *lanes = g_hash_table_new(g_str_hash, g_str_equal); // url -> requests under way
    for (const GList *one = courier->parcels.head; one; one = one->next) {
        const struct parcel *parcel = one->data;
        gsize under_way = GPOINTER_TO_SIZE(g_hash_table_lookup(lanes, parcel->url));
        if (parcel->flight)
            g_hash_table_insert(lanes, parcel->url, GSIZE_TO_POINTER(under_way + 1));
    }
    return lanes;
}

// Sends what may be sent now.
static void send_off(struct courier *courier, int64_t now_us)
{
    GHashTable *lanes = count_lanes(courier);
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL); // url and subject
    courier->next_us = INT64_MAX;
    for (const GList *one = courier->parcels.head; one; one = one->next) {
        struct parcel *parcel = one->data;
        gsize under_way = GPOINTER_TO_SIZE(g_hash_table_lookup(lanes, parcel->url));
        bool is_first = g_hash_table_add(seen, g_strconcat(parcel->url, "\n", parcel->subject, NULL));
        if (!is_first || parcel->flight || under_way >= COURIER_LANES)
            continue;
        if (parcel->due_us > now_us) {
            courier->next_us = MIN(courier->next_us, parcel->due_us);
            continue;
        }
        take_off(courier, parcel);
        g_hash_table_insert(lanes, parcel->url, GSIZE_TO_POINTER(under_way + 1));
    }
    g_hash_table_destroy(lanes);
    g_hash_table_destroy(seen);
}

static void land_all(struct courier *courier)
{
    const CURLMsg *message;
    int left, running;
    curl_multi_perform(courier->multi, &running);
    while ((message = curl_multi_info_read(courier->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        land(courier, message->easy_handle, message->data.result);
        courier->next_us = 0; // the next in its queue may go
    }
}

// When the thread has to end at the latest; INT64_MAX: not yet.
static int64_t stop_time(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    int64_t stop_us = courier->stop_us ? courier->stop_us : INT64_MAX;
    pthread_mutex_unlock(&courier->lock);
    return stop_us;
}

static void *fly_loop(void *arg)
{
    struct courier *courier = arg;
    pthread_setname_np(pthread_self(), "webhook");
    for (;;) {
        int64_t now_us = g_get_monotonic_time(), stop_us = stop_time(courier);
        take_in(courier, now_us);
        if (courier->next_us <= now_us)
            send_off(courier, now_us);
        if (stop_us <= now_us || (stop_us != INT64_MAX && courier->flying == 0))
            break;
        land_all(courier);
        int64_t wait_us = MIN(courier->next_us, stop_us) - now_us;
        curl_multi_poll(courier->multi, NULL, 0, (int)CLAMP(wait_us / 1000 + 1, 0, IDLE_MS), NULL);
    }
    return NULL;
}

// ---- a life -------------------------------------------------------------------------------------------------

struct courier *courier_new(const struct courier_config *config)
{
    struct courier *courier = g_new0(struct courier, 1);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    courier->secret = g_strdup(config->secret);
    courier->retry_min_ms = config->retry_min_ms;
    courier->timeout_ms = config->timeout_ms;
    courier->wake = config->wake;
    courier->wake_arg = config->wake_arg;
    courier->next_us = INT64_MAX;
    courier->multi = curl_multi_init();
    g_assert(courier->multi);
    g_queue_init(&courier->parcels);
    g_queue_init(&courier->in);
    g_queue_init(&courier->out);
    pthread_mutex_init(&courier->lock, NULL);
    g_assert(pthread_create(&courier->thread, NULL, fly_loop, courier) == 0);
    return courier;
}

void courier_stop(struct courier *courier, unsigned finish_ms)
{
    pthread_mutex_lock(&courier->lock);
    courier->stop_us = g_get_monotonic_time() + finish_ms * INT64_C(1000);
    pthread_mutex_unlock(&courier->lock);
    curl_multi_wakeup(courier->multi);
    pthread_join(courier->thread, NULL);
}

void courier_free(struct courier *courier)
{
    for (const GList *one = courier->parcels.head; one; one = one->next) {
        const struct parcel *parcel = one->data;
        if (parcel->flight)
            flight_free(courier, parcel->flight);
    }
    curl_multi_cleanup(courier->multi);
    g_queue_clear_full(&courier->parcels, (GDestroyNotify)parcel_free);
    g_queue_clear_full(&courier->in, (GDestroyNotify)parcel_free);
    g_queue_clear_full(&courier->out, (GDestroyNotify)parcel_free);
    pthread_mutex_destroy(&courier->lock);
    g_free(courier->secret);
    g_free(courier);
    curl_global_cleanup();
}

void courier_post(struct courier *courier, struct parcel *parcel)
{
    pthread_mutex_lock(&courier->lock);
    g_queue_push_tail(&courier->in, parcel);
    pthread_mutex_unlock(&courier->lock);
    curl_multi_wakeup(courier->multi);
}

struct parcel *courier_take(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    struct parcel *parcel = g_queue_pop_head(&courier->out);
    pthread_mutex_unlock(&courier->lock);
    return parcel;
}
