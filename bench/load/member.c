// What is one PeerConnection of the swarm?
// SPDX-License-Identifier: MIT
#include "bench/load/member.h"

#include <glib.h>

#include "sfu/now.h"

enum {
    TICK_US = 20000,        // until it is connected
    TICK_LATER_US = 500000, // afterwards: consent
    FEEDBACK_US = 100000,
    REPORT_US = 1000000,
};

static bool on_sealed(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t arrived_ns)
{
    struct member *m = arg;
    struct crowd *crowd = m->crowd;
    m->arrived_ns = arrived_ns;
    return listener_rx_sealed(&m->listener, &crowd->tally, &crowd->traffic, data, len,
                              crowd->traffic.twcc ? puppet_twcc_id(puppet) : 0, arrived_ns);
}

static void on_rtp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct member *m = arg;
    (void)puppet;
    (void)now_us;
    listener_rx_opened(&m->listener, &m->crowd->tally, data, len, m->arrived_ns);
}

static void on_rtcp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct member *m = arg;
    (void)puppet;
    listener_rx_rtcp(&m->listener, data, len, now_us);
    publisher_rx_rtcp(&m->publisher, data, len);
}

static void feedback_due(void *arg, int64_t now_us)
{
    struct member *m = arg;
    uint8_t buf[LISTENER_REPORT_MAX + CIPHER_TRAILER_MAX];
    size_t len;
    timers_set(m->crowd->timers, &m->feedback, now_us + FEEDBACK_US);
    while ((len = listener_feedback(&m->listener, buf)) > 0) {
        puppet_send_rtcp(m->puppet, buf, len, sizeof(buf));
        m->crowd->output.told++;
    }
}

static void report_due(void *arg, int64_t now_us)
{
    struct member *m = arg;
    uint8_t buf[LISTENER_REPORT_MAX + CIPHER_TRAILER_MAX];
    timers_set(m->crowd->timers, &m->report, now_us + REPORT_US);
    size_t len = listener_report(&m->listener, buf, now_us);
    if (len)
        puppet_send_rtcp(m->puppet, buf, len, sizeof(buf));
}

static void start_timer(struct member *m, struct timer *timer, void (*run)(void *, int64_t), int64_t period_us,
                        int64_t now_us)
{
    timer->run = run;
    timer->arg = m;
    timers_set(m->crowd->timers, timer, now_us + (int64_t)(g_random_double() * (double)period_us));
}

static void begin(struct member *m, int64_t now_us)
{
    struct crowd *crowd = m->crowd;
    m->connected = true;
    if (crowd->traffic.twcc)
        start_timer(m, &m->feedback, feedback_due, FEEDBACK_US, now_us);
    start_timer(m, &m->report, report_due, REPORT_US, now_us);
    if (m->audio || m->video)
        publisher_start(&m->publisher,
                        &(struct publisher_config){.puppet = m->puppet,
                                                   .traffic = &crowd->traffic,
                                                   .timers = crowd->timers,
                                                   .output = &crowd->output,
                                                   .audio = m->audio,
                                                   .video = m->video},
                        now_us);
    crowd->connected(crowd->arg, m->id);
}

static void tick_due(void *arg, int64_t now_us)
{
    struct member *m = arg;
    puppet_tick(m->puppet, now_us);
    timers_set(m->crowd->timers, &m->tick, now_us + (m->connected ? TICK_LATER_US : TICK_US));
}

void member_rx(struct member *m, int64_t now_us)
{
    puppet_rx(m->puppet, now_us);
    if (!m->connected && puppet_is_connected(m->puppet))
        begin(m, now_us);
}

struct member *member_new(struct crowd *crowd, unsigned id, bool audio, bool video)
{
    struct member *m = g_new0(struct member, 1);
    uint32_t ssrc = (g_random_int() & 0xfffffff0) | 0x10000000;
    *m = (struct member){.id = id, .crowd = crowd, .audio = audio, .video = video};
    m->puppet = puppet_new(&(struct puppet_config){.cert = crowd->cert,
                                                   .address = crowd->traffic.address,
                                                   .audio = audio,
                                                   .video = video,
                                                   .audio_ssrc = ssrc,
                                                   .video_ssrc = ssrc + 1,
                                                   .profile = crowd->traffic.profile,
                                                   .handlers = {.sealed = on_sealed, .rtp = on_rtp, .rtcp = on_rtcp},
                                                   .arg = m});
    listener_init(&m->listener, ssrc);
    start_timer(m, &m->tick, tick_due, TICK_US, now_monotonic_us());
    return m;
}

void member_free(struct member *m)
{
    struct timers *timers = m->crowd->timers;
    publisher_stop(&m->publisher);
    timers_cancel(timers, &m->tick);
    timers_cancel(timers, &m->feedback);
    timers_cancel(timers, &m->report);
    puppet_free(m->puppet);
    g_free(m);
}
