// How does a server do with many real participants? (one process of them; a driver does the signaling, see control.h)
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/control.h"
#include "bench/load/member.h"
#include "sfu/now.h"

enum {
    EVENTS = 256,
    REST_US = 1000,
};

struct swarm {
    struct crowd crowd;
    struct control *control;
    int epoll_fd;
    struct epoll_event events[EVENTS];
    int event_count;
};

static void watch(void *arg, struct member *member, bool on)
{
    struct swarm *s = arg;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    int rc = epoll_ctl(s->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, puppet_fd(member->puppet), &event);
    g_assert(rc == 0);
    for (int i = 0; !on && i < s->event_count; i++) {
        if (s->events[i].data.ptr == member)
            s->events[i].data.ptr = NULL;
    }
}

// It looks at its sockets every REST_US rather than wait for them: a thread that waits has to be woken, on another
// core, by whoever sends to it, which a server of real participants never pays for. Times of arrival are the
// kernel's.
static void rest(const struct swarm *s)
{
    int64_t left_us = CLAMP(timers_due(s->crowd.timers) - now_monotonic_us(), 0, REST_US);
    struct timespec left = {0, left_us * 1000};
    if (s->event_count < EVENTS) // else there may be more
        nanosleep(&left, NULL);
}

static bool turn(struct swarm *s)
{
    bool go_on = true;
    rest(s);
    int64_t now_us = now_monotonic_us();
    timers_run(s->crowd.timers, now_us);
    s->event_count = epoll_wait(s->epoll_fd, s->events, EVENTS, 0);
    for (int i = 0; i < s->event_count; i++) {
        void *member = s->events[i].data.ptr;
        if (member == s)
            go_on = control_rx(s->control);
        else if (member)
            member_rx(member, now_us);
    }
    return go_on;
}

static void run(struct swarm *s)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    int rc = epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    g_assert(rc == 0);
    s->crowd.timers = timers_new();
    s->crowd.cert = dtls_cert_new();
    s->control = control_new(&s->crowd, watch, s);
    prctl(PR_SET_TIMERSLACK, 1); // ns
    while (turn(s))
        continue;
    control_free(s->control);
    dtls_cert_free(s->crowd.cert);
    timers_free(s->crowd.timers);
    close(s->epoll_fd);
}

static enum cipher_profile profile_of(const char *name)
{
    static const struct {
        const char *name;
        enum cipher_profile profile;
    } names[] = {{"GCM_128", CIPHER_GCM_128},
                 {"GCM_256", CIPHER_GCM_256},
                 {"CM_SHA1_80", CIPHER_CM_SHA1_80},
                 {"any", CIPHER_NONE}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(name, names[i].name))
            return names[i].profile;
    }
    g_printerr("swarm: --profile is one of GCM_128, GCM_256, CM_SHA1_80, any\n");
    exit(2);
}

static bool is_sane(const struct traffic *t)
{
    return t->fps >= 0 && t->audio_pps >= 0 && t->frame_bytes >= 100 && t->packet_bytes >= 100 &&
           t->packet_bytes <= 1400 && t->vary >= 0 && t->vary < 1 && t->key_factor >= 1 && t->audio_bytes >= 80 &&
           t->audio_bytes <= 1400 && t->sample >= 1 && t->frame_bytes * (1 - t->vary) >= 100;
}

int main(int argc, char **argv)
{
    char *address = NULL, *profile = NULL, *engine = NULL;
    gboolean no_twcc = FALSE;
    double fps = 30, vary = 0, audio_pps = 0;
    int frame = 11000, packet = 1100, key = 1, audio_bytes = 100, sample = 16;
    const GOptionEntry entries[] = {
        {"address", 0, 0, G_OPTION_ARG_STRING, &address, "local address of the participants (127.0.0.1)", "A"},
        {"profile", 0, 0, G_OPTION_ARG_STRING, &profile, "the SRTP profile: GCM_128, GCM_256, CM_SHA1_80, any", "P"},
        {"engine", 0, 0, G_OPTION_ARG_STRING, &engine, "the swarm's own SRTP engine: auto, libsrtp, ipsec-mb", "E"},
        {"fps", 0, 0, G_OPTION_ARG_DOUBLE, &fps, "video frames a second; 0: no video (30)", "N"},
        {"frame", 0, 0, G_OPTION_ARG_INT, &frame, "bytes of the RTP packets of one frame (11000)", "N"},
        {"packet", 0, 0, G_OPTION_ARG_INT, &packet, "bytes of the longest RTP packet (1100)", "N"},
        {"vary", 0, 0, G_OPTION_ARG_DOUBLE, &vary, "frames differ by up to this share (0)", "S"},
        {"key", 0, 0, G_OPTION_ARG_INT, &key, "a key frame is that many times larger (1)", "N"},
        {"audio", 0, 0, G_OPTION_ARG_DOUBLE, &audio_pps, "Opus packets a second; 0: no audio (0)", "N"},
        {"audio-bytes", 0, 0, G_OPTION_ARG_INT, &audio_bytes, "bytes of each (100)", "N"},
        {"sample", 0, 0, G_OPTION_ARG_INT, &sample, "open one received packet in N (16)", "N"},
        {"no-feedback", 0, 0, G_OPTION_ARG_NONE, &no_twcc, "no transport-wide numbers and feedback", NULL},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    GOptionContext *context = g_option_context_new("- participants, moved by lines of JSON on standard input");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("swarm: %s\n", error->message);
        return 2;
    }
    g_option_context_free(context);

    static struct swarm swarm;
    swarm.crowd.traffic = (struct traffic){.address = address ? address : "127.0.0.1",
                                           .profile = profile_of(profile ? profile : "GCM_128"),
                                           .fps = fps,
                                           .frame_bytes = (unsigned)frame,
                                           .packet_bytes = (unsigned)packet,
                                           .vary = vary,
                                           .key_factor = (unsigned)key,
                                           .audio_pps = audio_pps,
                                           .audio_bytes = (unsigned)audio_bytes,
                                           .twcc = !no_twcc,
                                           .sample = (unsigned)sample};
    if (!is_sane(&swarm.crowd.traffic)) {
        g_printerr("swarm: a number is out of range\n");
        return 2;
    }
    int rc = cipher_engine_select(engine ? engine : "auto");
    if (rc < 0) {
        g_printerr("swarm: no such cipher engine here\n");
        return 2;
    }
    run(&swarm);
    g_free(address);
    g_free(profile);
    g_free(engine);
    return 0;
}
