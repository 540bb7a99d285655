// What does a monitoring system read of the server?
// SPDX-License-Identifier: MIT
#include "signaling/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "signaling/call_book.h"
#include "signaling/crypto.h"
#include "signaling/store.h"
#include "signaling/webhook.h"

enum type { GAUGE, COUNTER };

struct page_of_metrics {
    GString *text;
    enum metrics_format format;
    const char *name; // of the family being written
    enum type type;
};

// ---- the format ---------------------------------------------------------------------------------------------

enum metrics_format metrics_format(const char *accept)
{
    return accept && strstr(accept, "application/openmetrics-text") ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                         : "text/plain; version=0.0.4; charset=utf-8";
}

// OpenMetrics names a counter's family without the _total that its samples have.
static void family(struct page_of_metrics *m, const char *name, enum type type, const char *help)
{
    const char *suffix = type == COUNTER && m->format == METRICS_PROMETHEUS ? "_total" : "";
    m->name = name;
    m->type = type;
    g_string_append_printf(m->text, "# HELP %s%s %s\n", name, suffix, help);
    g_string_append_printf(m->text, "# TYPE %s%s %s\n", name, suffix, type == COUNTER ? "counter" : "gauge");
}

// `labels` is `key="value"`, or "".
static void sample(struct page_of_metrics *m, const char *labels, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(m->text, "%s%s%s%s%s %s\n", m->name, m->type == COUNTER ? "_total" : "",
                           *labels ? "{" : "", labels, *labels ? "}" : "",
                           g_ascii_dtostr(number, sizeof(number), value));
}

__attribute__((format(printf, 3, 4))) static void sample_of(struct page_of_metrics *m, double value,
                                                            const char *format, ...)
{
    char labels[128];
    va_list args;
    va_start(args, format);
    g_vsnprintf(labels, sizeof(labels), format, args);
    va_end(args);
    sample(m, labels, value);
}

static void one(struct page_of_metrics *m, const char *name, enum type type, const char *help, double value)
{
    family(m, name, type, help);
    sample(m, "", value);
}

// ---- the process --------------------------------------------------------------------------------------------

static double count_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    double count = -3; // ".", ".." and the folder itself
    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long size = 0, resident = 0;
    if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void print_process(struct page_of_metrics *m, const struct hub *hub)
{
    struct timespec cpu;
    struct rlimit files = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    getrlimit(RLIMIT_NOFILE, &files);
    one(m, "process_cpu_seconds", COUNTER, "Processor time used, user and system.",
        (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    one(m, "process_resident_memory_bytes", GAUGE, "Memory in use.", resident_bytes());
    one(m, "process_open_fds", GAUGE, "Open file descriptors.", count_files());
    one(m, "process_max_fds", GAUGE, "File descriptors the process may open.", (double)files.rlim_cur);
    one(m, "process_start_time_seconds", GAUGE, "When the server began, in seconds since 1970.",
        (double)(hub->wall_ms - (hub->now_us - hub->started_us) / 1000) / 1000.0);
    family(m, "roda_build_info", GAUGE, "Which version runs; the value is always 1.");
    sample(m, "version=\"" RODA_VERSION "\"", 1);
}

// ---- signaling ----------------------------------------------------------------------------------------------

static void print_roster(struct page_of_metrics *m, const struct hub *hub)
{
    const struct roster *roster = &hub->roster;
    one(m, "roda_rooms", GAUGE, "Rooms now.", roster_room_count(roster));
    one(m, "roda_participants", GAUGE, "Participants now, those who may come back included.",
        roster->participant_count);
    one(m, "roda_websockets", GAUGE, "Open WebSockets now.", hub->sessions->len);
    one(m, "roda_draining", GAUGE, "1 while the server lets nobody new in because it is about to stop.",
        hub->is_draining);
    one(m, "roda_websockets_opened", COUNTER, "WebSockets ever opened.", (double)hub->counters.sockets_opened);
}

static void print_refusals(struct page_of_metrics *m, const struct counters *c)
{
    family(m, "roda_refusals", COUNTER, "Requests over WebSocket that were refused, by error code.");
    for (int error = ERROR_NONE + 1; error < ERROR_COUNT; error++)
        sample_of(m, (double)c->refusals[error], "code=\"%s\"", error_name((enum error)error));
}

static void print_counters(struct page_of_metrics *m, struct counters *c)
{
    one(m, "roda_joins", COUNTER, "Participants who came into a room.", (double)c->joins);
    one(m, "roda_resumes", COUNTER, "Participants who came back after a lost WebSocket.", (double)c->resumes);
    one(m, "roda_leaves", COUNTER, "Participants who are out of their room, for whatever reason.", (double)c->leaves);
    family(m, "roda_messages", COUNTER, "WebSocket messages.");
    sample(m, "direction=\"received\"", (double)c->messages_rx);
    sample(m, "direction=\"sent\"", (double)c->messages_tx);
    print_refusals(m, c);
    family(m, "roda_http_responses", COUNTER, "Answers to HTTP requests, by class of status.");
    for (int hundreds = 1; hundreds < COUNTERS_STATUS_CLASSES; hundreds++)
        sample_of(m, (double)c->http[hundreds], "status=\"%dxx\"", hundreds);
    one(m, "roda_media_events", COUNTER, "Events of the media threads.", (double)c->sfu_events);
    one(m, "roda_media_event_queue_peak", GAUGE, "Most events that waited at one time since the last look here.",
        c->sfu_events_peak);
    c->sfu_events_peak = 0;
}

// ---- calls, recordings, webhooks ----------------------------------------------------------------------------

G_STATIC_ASSERT((int)CALL_BUSY < COUNTERS_CALL_STATUSES);

static void print_calls(struct page_of_metrics *m, const struct hub *hub)
{
    unsigned live[COUNTERS_CALL_STATUSES] = {0};
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, hub->calls->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        live[((const struct call *)value)->status]++;
    family(m, "roda_calls", GAUGE, "Calls that are not over, by status.");
    for (int status = CALL_RINGING; status <= CALL_CONNECTED; status++)
        sample_of(m, live[status], "status=\"%s\"", call_status_name((enum call_status)status));
    one(m, "roda_calls_begun", COUNTER, "Calls that began.", (double)hub->counters.calls_begun);
    family(m, "roda_calls_over", COUNTER, "Calls that are over, by how they ended.");
    for (int status = CALL_CONNECTED + 1; status <= CALL_BUSY; status++)
        sample_of(m, (double)hub->counters.calls_over[status], "status=\"%s\"",
                  call_status_name((enum call_status)status));
}

static void print_recordings(struct page_of_metrics *m, const struct hub *hub)
{
    const struct counters *c = &hub->counters;
    unsigned count = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, hub->roster.rooms);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        count += ((const struct room *)value)->recording != NULL;
    one(m, "roda_recordings", GAUGE, "Rooms that are being recorded.", count);
    one(m, "roda_recordings_ended", COUNTER, "Recordings that came to an end.", (double)c->recordings_ended);
    one(m, "roda_recordings_damaged", COUNTER, "Of these, those with gaps or cut short.",
        (double)c->recordings_failed);
}

static void print_taps(struct page_of_metrics *m, const struct hub *hub)
{
    unsigned count = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, hub->roster.rooms);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct room *room = value;
        for (guint i = 0; i < room->taps->len; i++)
            count += ((const struct tap *)room->taps->pdata[i])->sdp != NULL;
    }
    one(m, "roda_taps", GAUGE, "Live copies being sent to programs outside.", count);
}

static void print_webhooks(struct page_of_metrics *m, const struct hub *hub)
{
    struct webhook_health health = webhook_health(hub->webhook);
    one(m, "roda_webhook_queue_length", GAUGE, "Events that wait to be delivered.", health.waiting);
    one(m, "roda_webhook_deliveries", COUNTER, "Events delivered.", (double)health.taken);
    one(m, "roda_webhook_failed_tries", COUNTER, "Tries that failed; each is tried again.",
        (double)health.tries_failed);
    one(m, "roda_webhook_lost", COUNTER, "Events given up.", (double)health.lost);
}

// ---- media --------------------------------------------------------------------------------------------------

// One number of every worker, under one name.
struct worker_metric {
    const char *name;
    enum type type;
    const char *help;
    size_t at;      // of an int64_t in struct load_worker
    double divisor; // to the base unit
};

#define AT(field) offsetof(struct load_worker, field)

static const struct worker_metric worker_metrics[] = {
    {"roda_worker_rooms", GAUGE, "Rooms on this media thread.", AT(rooms), 1},
    {"roda_worker_peers", GAUGE, "Peers on this media thread.", AT(peers), 1},
    {"roda_worker_cpu_seconds", COUNTER, "Processor time of this media thread.", AT(cpu_us), 1e6},
    {"roda_worker_letter_delay_seconds", GAUGE, "How long the last question waited for this thread.", AT(letter_us),
     1e6},
    {"roda_worker_tick_delay_seconds", GAUGE, "The latest tick within the last second.", AT(late_us), 1e6},
};

// One number of all workers together.
static const struct worker_metric media_metrics[] = {
    {"roda_media_received_packets", COUNTER, "RTP packets received.", AT(rx_packets), 1},
    {"roda_media_received_bytes", COUNTER, "Bytes of RTP received.", AT(rx_bytes), 1},
    {"roda_media_forwarded_packets", COUNTER, "RTP packets sent to receivers.", AT(tx_packets), 1},
    {"roda_media_forwarded_bytes", COUNTER, "Bytes of RTP sent to receivers.", AT(tx_bytes), 1},
    {"roda_media_resent_packets", COUNTER, "Packets sent again because they were asked for.", AT(resent), 1},
    {"roda_media_tapped_packets", COUNTER, "RTP packets sent to programs outside.", AT(tap_packets), 1},
    {"roda_media_tapped_bytes", COUNTER, "Bytes of RTP sent to programs outside.", AT(tap_bytes), 1},
    {"roda_media_connections", COUNTER, "Media connections that came about.", AT(connected), 1},
    {"roda_media_ice_failures", COUNTER, "Media connections that found no network path, or lost it for good.",
     AT(ice_failed), 1},
    {"roda_media_dtls_failures", COUNTER, "Media connections whose handshake failed.", AT(dtls_failed), 1},
};

static double number_of(const struct load_worker *worker, const struct worker_metric *metric)
{
    return (double)*(const int64_t *)((const char *)worker + metric->at) / metric->divisor;
}

static double sum_of(const struct load *load, size_t at)
{
    struct worker_metric metric = {.at = at, .divisor = 1};
    double sum = 0;
    for (unsigned i = 0; i < load->worker_count; i++)
        sum += number_of(&load->workers[i], &metric);
    return sum;
}

static void print_workers(struct page_of_metrics *m, const struct hub *hub)
{
    const struct load *load = &hub->load;
    for (size_t k = 0; k < G_N_ELEMENTS(worker_metrics); k++) {
        family(m, worker_metrics[k].name, worker_metrics[k].type, worker_metrics[k].help);
        for (unsigned i = 0; i < load->worker_count; i++)
            sample_of(m, number_of(&load->workers[i], &worker_metrics[k]), "worker=\"%u\"", i);
    }
    family(m, "roda_worker_busy_ratio", GAUGE, "Share of one core this media thread used in the last second.");
    for (unsigned i = 0; i < load->worker_count; i++)
        sample_of(m, load->workers[i].busy, "worker=\"%u\"", i);
    family(m, "roda_worker_silence_seconds", GAUGE,
           "Since this media thread last answered; it should stay below two.");
    for (unsigned i = 0; i < load->worker_count; i++)
        sample_of(m, (double)(hub->now_us - load->workers[i].answered_us) / 1e6, "worker=\"%u\"", i);
}

static void print_media(struct page_of_metrics *m, const struct load *load)
{
    for (size_t k = 0; k < G_N_ELEMENTS(media_metrics); k++)
        one(m, media_metrics[k].name, media_metrics[k].type, media_metrics[k].help,
            sum_of(load, media_metrics[k].at));
    family(m, "roda_media_nacks", COUNTER, "Messages that ask for lost packets.");
    sample(m, "direction=\"received\"", sum_of(load, AT(nacks_rx)));
    sample(m, "direction=\"sent\"", sum_of(load, AT(nacks_tx)));
    family(m, "roda_media_keyframe_requests", COUNTER, "PLI and FIR.");
    sample(m, "direction=\"received\"", sum_of(load, AT(keyframes_rx)));
    sample(m, "direction=\"sent\"", sum_of(load, AT(keyframes_tx)));
    family(m, "roda_media_dropped_packets", COUNTER, "Packets not forwarded, by reason.");
    for (unsigned i = 0; i < load->reason_count; i++) {
        double sum = 0;
        for (unsigned w = 0; w < load->worker_count; w++)
            sum += (double)load->drops[w][i];
        sample_of(m, sum, "reason=\"%s\"", load->reasons[i]);
    }
}

// ---- the store ----------------------------------------------------------------------------------------------

static void print_store(struct page_of_metrics *m, const struct hub *hub)
{
    struct store_health health = store_health(hub->store);
    one(m, "roda_store_queue_length", GAUGE, "Writes that wait for the disk.", health.waiting);
    one(m, "roda_store_degraded", GAUGE, "1 while the disk is full, fails, or takes too long.", health.is_degraded);
    one(m, "roda_store_writes", COUNTER, "Writes that are down.", (double)health.written);
    one(m, "roda_store_lost_writes", COUNTER, "Writes given up.", (double)health.lost);
    one(m, "roda_store_refusals", COUNTER, "Calls refused because too much waits for the disk.",
        (double)health.refused);
    one(m, "roda_store_failed_commits", COUNTER, "Transactions that failed.", (double)health.failed_commits);
}

// ---- the page -----------------------------------------------------------------------------------------------

GString *metrics_print(struct hub *hub, enum metrics_format format)
{
    struct page_of_metrics m = {.text = g_string_new(NULL), .format = format};
    print_process(&m, hub);
    print_roster(&m, hub);
    print_counters(&m, &hub->counters);
    print_calls(&m, hub);
    print_recordings(&m, hub);
    print_taps(&m, hub);
    if (hub->webhook)
        print_webhooks(&m, hub);
    print_workers(&m, hub);
    print_media(&m, &hub->load);
    if (hub->store)
        print_store(&m, hub);
    if (format == METRICS_OPENMETRICS)
        g_string_append(m.text, "# EOF\n");
    return m.text;
}

// A proxy on this machine speaks from loopback for the whole world, and says for whom.
bool metrics_may_read(const struct hub *hub, const struct http_request *request)
{
    const char *bearer = http_bearer(request->authorization), *wanted = hub->config->metrics_token;
    struct identity identity;
    char why[120];
    if (!bearer)
        return !wanted && http_address_is_loopback(request->address) && !request->forwarded_for;
    if (wanted && crypto_equal_text(bearer, wanted))
        return true;
    if (auth_is_open(hub->auth) || auth_verify(hub->auth, bearer, hub->wall_ms, &identity, why, sizeof(why)) != 0)
        return false;
    bool may = identity.role == ROLE_HOST && identity_covers(&identity, "*");
    identity_clear(&identity);
    return may;
}
