// How does a driver move the swarm?
// SPDX-License-Identifier: MIT
#include "bench/load/control.h"

#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/member.h"
#include "sfu/cipher.h"
#include "sfu/now.h"

struct control {
    struct crowd *crowd;
    GHashTable *members; // id -> struct member
    GString *line;
    control_watch_h *watch;
    void *arg;
    char *sdp; // PUPPET_SDP_MAX bytes
    int64_t begin_us;
    double begin_cpu_s;
};

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void say(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(object);
}

static void on_connected(void *arg, unsigned id)
{
    (void)arg;
    say(json_pack("{s:i, s:b}", "pc", (int)id, "connected", 1));
}

static void remove_member(void *arg)
{
    member_free(arg);
}

struct control *control_new(struct crowd *crowd, control_watch_h *watch, void *arg)
{
    struct control *c = g_new0(struct control, 1);
    *c = (struct control){.crowd = crowd, .watch = watch, .arg = arg};
    c->members = g_hash_table_new_full(NULL, NULL, NULL, remove_member);
    c->line = g_string_new(NULL);
    c->sdp = g_malloc(PUPPET_SDP_MAX);
    crowd->connected = on_connected;
    return c;
}

void control_free(struct control *c)
{
    g_hash_table_destroy(c->members);
    g_string_free(c->line, TRUE);
    g_free(c->sdp);
    g_free(c);
}

// ---- the window --------------------------------------------------------------------------------------------------

static void begin(struct control *c)
{
    GHashTableIter it;
    gpointer member;
    g_hash_table_iter_init(&it, c->members);
    while (g_hash_table_iter_next(&it, NULL, &member))
        listener_begin(&((struct member *)member)->listener);
    c->crowd->tally = (struct tally){0};
    c->crowd->output = (struct output){0};
    c->begin_us = now_monotonic_us();
    c->begin_cpu_s = cpu_s();
}

static json_t *describe_delay(const struct histogram *delay)
{
    double mean = delay->count ? (double)delay->sum_us / (double)delay->count : 0;
    return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I}", "samples", (json_int_t)delay->count, "mean_us", mean, "p50_us",
                     (json_int_t)histogram_percentile(delay, 0.5), "p99_us",
                     (json_int_t)histogram_percentile(delay, 0.99), "p999_us",
                     (json_int_t)histogram_percentile(delay, 0.999), "max_us", (json_int_t)delay->max_us);
}

static json_t *describe_output(const struct output *out)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)out->packets, "frames",
                     (json_int_t)out->frames, "key_frames", (json_int_t)out->key_frames, "refused",
                     (json_int_t)out->refused, "behind", (json_int_t)out->behind, "key_frames_asked",
                     (json_int_t)out->asked, "nacked", (json_int_t)out->nacked, "feedback", (json_int_t)out->feedback,
                     "listener_feedback", (json_int_t)out->told);
}

static void end(struct control *c)
{
    GHashTableIter it;
    gpointer member;
    struct tally tally = c->crowd->tally;
    bool is_full = false;
    g_hash_table_iter_init(&it, c->members);
    while (g_hash_table_iter_next(&it, NULL, &member)) {
        listener_end(&((struct member *)member)->listener, &tally);
        is_full = is_full || ((struct member *)member)->listener.is_full;
    }
    double seconds = (double)(now_monotonic_us() - c->begin_us) / 1e6;
    json_t *result = json_pack("{s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "seconds",
                               seconds, "swarm_cpu_s", cpu_s() - c->begin_cpu_s, "packets", (json_int_t)tally.packets,
                               "bytes", (json_int_t)tally.bytes, "expected", (json_int_t)tally.expected, "lost",
                               (json_int_t)(tally.expected - tally.received), "late", (json_int_t)tally.late,
                               "streams", (json_int_t)tally.streams, "silent", (json_int_t)tally.silent, "sampled",
                               (json_int_t)tally.asked, "bad_tags", (json_int_t)(tally.asked - tally.opened), "delay",
                               describe_delay(&tally.delay), "sent", describe_output(&c->crowd->output));
    say(json_pack("{s:o}", "result", result));
    if (is_full)
        say(json_pack("{s:s}", "error", "a member got more streams than it can count"));
}

// ---- one connection ----------------------------------------------------------------------------------------------

static void open_member(struct control *c, unsigned pc, const json_t *line)
{
    struct member *m = member_new(c->crowd, pc, json_is_true(json_object_get(line, "audio")),
                                  json_is_true(json_object_get(line, "video")));
    g_hash_table_insert(c->members, GUINT_TO_POINTER(pc), m);
    c->watch(c->arg, m, true);
}

static void close_member(struct control *c, struct member *m)
{
    c->watch(c->arg, m, false);
    g_hash_table_remove(c->members, GUINT_TO_POINTER(m->id));
}

static void command(struct control *c, struct member *m, const char *what, const json_t *line)
{
    const char *sdp = json_string_value(json_object_get(line, "sdp"));
    const char *candidate = json_string_value(json_object_get(line, "candidate"));
    if (strcmp(what, "offer") == 0) {
        puppet_reoffer(m->puppet, c->sdp);
        say(json_pack("{s:i, s:s}", "pc", (int)m->id, "offer", c->sdp));
    } else if (strcmp(what, "answer") == 0 && sdp) {
        listener_learn(&m->listener, sdp);
        puppet_answer(m->puppet, sdp, c->sdp);
        say(json_pack("{s:i, s:s}", "pc", (int)m->id, "answer", c->sdp));
    } else if (strcmp(what, "take") == 0 && sdp) {
        listener_learn(&m->listener, sdp);
        puppet_take_answer(m->puppet, sdp);
    } else if (strcmp(what, "candidate") == 0 && candidate) {
        puppet_add_candidate(m->puppet, candidate);
    } else if (strcmp(what, "close") == 0) {
        close_member(c, m);
    } else {
        say(json_pack("{s:s}", "error", "no such command, or one without its text"));
    }
}

static void obey(struct control *c, const char *text)
{
    json_error_t error;
    json_t *line = json_loads(text, 0, &error);
    const char *what = json_string_value(json_object_get(line, "do"));
    unsigned pc = (unsigned)json_integer_value(json_object_get(line, "pc"));
    struct member *m = g_hash_table_lookup(c->members, GUINT_TO_POINTER(pc));
    if (!what)
        say(json_pack("{s:s}", "error", "not a command"));
    else if (strcmp(what, "begin") == 0)
        begin(c);
    else if (strcmp(what, "end") == 0)
        end(c);
    else if (strcmp(what, "open") == 0 && !m)
        open_member(c, pc, line);
    else if (m)
        command(c, m, what, line);
    else
        say(json_pack("{s:s}", "error", "no such pc"));
    json_decref(line);
}

bool control_rx(struct control *c)
{
    char buf[65536];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    g_string_append_len(c->line, buf, n);
    char *end;
    while ((end = memchr(c->line->str, '\n', c->line->len))) {
        *end = '\0';
        obey(c, c->line->str);
        g_string_erase(c->line, 0, end + 1 - c->line->str);
    }
    return true;
}
