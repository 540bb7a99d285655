// What does a participant look like that a program moves?
// SPDX-License-Identifier: MIT
#include "tests/puppet/puppet.h"

#include <arpa/inet.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "rtp/demux.h"
#include "rtp/ext.h"
#include "rtp/sdp.h"
#include "tests/puppet/stun.h"

enum {
    CHECK_US = 50000,       // between two checks until keys are agreed: the answerer may not have been ready for one
    KEEPALIVE_US = 5000000, // RFC 7675: consent
    RECEIVE_BUFFER = 4 << 20,
    PACKET_ROOM = 2048,
};

struct puppet {
    struct puppet_config cfg;
    int fd;

    // ICE
    char ufrag[16], pwd[32];
    char remote_ufrag[257], remote_pwd[257];
    struct sockaddr_in remote;
    bool has_remote, valid;
    int64_t check_us; // when the next check is due
    uint8_t check_count;

    // DTLS, SRTP
    struct dtls *dtls;
    struct cipher_sealer *sealer;
    struct cipher_opener *opener;
    struct cipher_stream *audio, *video, *rtx;
    bool dtls_server;
    uint8_t twcc_id;

    uint64_t session_id;
    unsigned version;
    struct sdp *sdp; // scratch
    char *agreed;    // our last answer, which says all that is agreed; NULL: none
};

static void fresh_credentials(struct puppet *p)
{
    snprintf(p->ufrag, sizeof(p->ufrag), "%08x", g_random_int());
    snprintf(p->pwd, sizeof(p->pwd), "%08x%08x%08x", g_random_int(), g_random_int(), g_random_int());
}

static void open_socket(struct puppet *p)
{
    int room = RECEIVE_BUFFER, on = 1;
    struct sockaddr_in local = {.sin_family = AF_INET};
    inet_pton(AF_INET, p->cfg.address ? p->cfg.address : "127.0.0.1", &local.sin_addr);
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert(p->fd >= 0);
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (p->cfg.handlers.sealed)
        setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    int rc = bind(p->fd, (struct sockaddr *)&local, sizeof(local));
    g_assert(rc == 0);
}

struct puppet *puppet_new(const struct puppet_config *cfg)
{
    struct puppet *p = g_new0(struct puppet, 1);
    p->cfg = *cfg;
    p->session_id = (uint64_t)g_random_int() << 16 | 1;
    p->sdp = g_new(struct sdp, 1);
    fresh_credentials(p);
    open_socket(p);
    return p;
}

void puppet_free(struct puppet *p)
{
    if (!p)
        return;
    cipher_stream_free(p->audio);
    cipher_stream_free(p->video);
    cipher_stream_free(p->rtx);
    cipher_sealer_free(p->sealer);
    cipher_opener_free(p->opener);
    if (p->dtls)
        dtls_free(p->dtls);
    close(p->fd);
    g_free(p->sdp);
    g_free(p->agreed);
    g_free(p);
}

int puppet_fd(const struct puppet *p)
{
    return p->fd;
}

void puppet_move(struct puppet *p)
{
    close(p->fd);
    open_socket(p);
    p->valid = false;
}

void puppet_restart_ice(struct puppet *p)
{
    fresh_credentials(p);
}

uint8_t puppet_twcc_id(const struct puppet *p)
{
    return p->twcc_id;
}

uint32_t puppet_ssrc(const struct puppet *p, bool video)
{
    return video ? p->cfg.video_ssrc : p->cfg.audio_ssrc;
}

struct sockaddr_in puppet_remote(const struct puppet *p)
{
    return p->remote;
}

// ---- negotiation -------------------------------------------------------------------------------------------------

static void add_head(struct puppet *p, GString *s, unsigned mlines)
{
    g_string_append_printf(s,
                           "v=0\r\no=- %" G_GUINT64_FORMAT " %u IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE",
                           p->session_id, ++p->version);
    for (unsigned i = 0; i < mlines; i++)
        g_string_append_printf(s, " %u", i);
    g_string_append_printf(
        s,
        "\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\na=fingerprint:sha-256 %s\r\n"
        "a=setup:actpass\r\n",
        p->ufrag, p->pwd, dtls_cert_fingerprint(p->cfg.cert));
}

static void add_media(GString *s, const char *mline, unsigned mid, bool sends, const char *codecs)
{
    g_string_append_printf(s, "%s\r\nc=IN IP4 0.0.0.0\r\na=mid:%u\r\na=%s\r\na=rtcp-mux\r\n%s", mline, mid,
                           sends ? "sendonly" : "inactive", codecs);
    g_string_append_printf(s,
                           "a=extmap:%d http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
                           "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
                           PUPPET_TWCC_ID);
}

static void add_audio(struct puppet *p, GString *s, unsigned mid)
{
    add_media(s, "m=audio 9 UDP/TLS/RTP/SAVPF 111", mid, p->cfg.audio,
              "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n");
    if (p->cfg.audio)
        g_string_append_printf(s, "a=ssrc:%u cname:puppet\r\n", p->cfg.audio_ssrc);
}

static void add_video(struct puppet *p, GString *s, unsigned mid)
{
    add_media(s, "m=video 9 UDP/TLS/RTP/SAVPF 96 97", mid, p->cfg.video,
              "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 transport-cc\r\n"
              "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
    if (p->cfg.video)
        g_string_append_printf(s, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:puppet\r\na=ssrc:%u cname:puppet\r\n",
                               p->cfg.video_ssrc, p->cfg.video_ssrc + 1, p->cfg.video_ssrc, p->cfg.video_ssrc + 1);
}

// Who sends nothing still needs something to negotiate: both kinds, inactive.
void puppet_offer(struct puppet *p, char *buf)
{
    bool audio = p->cfg.audio || !p->cfg.video, video = p->cfg.video || !p->cfg.audio;
    unsigned mid = 0;
    GString *s = g_string_new(NULL);
    add_head(p, s, audio + video + p->cfg.data_channels);
    if (audio)
        add_audio(p, s, mid++);
    if (video)
        add_video(p, s, mid++);
    if (p->cfg.data_channels)
        g_string_append_printf(s,
                               "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
                               "a=mid:%u\r\na=sctp-port:5000\r\n",
                               mid);
    g_assert(s->len < PUPPET_SDP_MAX);
    g_strlcpy(buf, s->str, PUPPET_SDP_MAX);
    g_string_free(s, TRUE);
}

// "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host"
void puppet_add_candidate(struct puppet *p, const char *line)
{
    char protocol[8], address[64];
    unsigned port;
    if (p->has_remote && p->valid)
        return;
    if (sscanf(line, "candidate:%*s 1 %7s %*u %63s %u", protocol, address, &port) != 3)
        return;
    if (g_ascii_strcasecmp(protocol, "udp") != 0 || inet_pton(AF_INET, address, &p->remote.sin_addr) != 1)
        return;
    p->remote.sin_family = AF_INET;
    p->remote.sin_port = htons((uint16_t)port);
    p->has_remote = true;
}

static void take_candidates(struct puppet *p, const struct sdp_media *media)
{
    char text[512];
    for (unsigned i = 0; i < media->candidate_count; i++) {
        if (sdp_span_copy(media->candidates[i], text, sizeof(text)) >= 0)
            puppet_add_candidate(p, text);
    }
}

static void take_extensions(struct puppet *p, const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count && !p->twcc_id; i++) {
        const struct sdp_extmap *map = sdp_find_extmap(&sdp->media[i], ext_uri(EXT_TWCC));
        p->twcc_id = map ? (uint8_t)map->id : 0;
    }
}

static void take_remote(struct puppet *p, const struct sdp *sdp)
{
    const struct sdp_media *media = &sdp->media[0];
    const struct sdp_transport *t = &media->transport;
    char ufrag[sizeof(p->remote_ufrag)];
    sdp_span_copy(t->ufrag, ufrag, sizeof(ufrag));
    if (strcmp(ufrag, p->remote_ufrag) != 0)
        p->valid = false; // a restart
    g_strlcpy(p->remote_ufrag, ufrag, sizeof(p->remote_ufrag));
    sdp_span_copy(t->pwd, p->remote_pwd, sizeof(p->remote_pwd));
    take_candidates(p, media);
    take_extensions(p, sdp);
    if (p->dtls)
        return;
    p->dtls_server = t->setup == SDP_SETUP_ACTIVE;
    p->dtls = dtls_new(p->cfg.cert, p->dtls_server ? DTLS_SERVER : DTLS_CLIENT);
    if (p->cfg.profile)
        dtls_set_profile(p->dtls, p->cfg.profile);
    int rc = dtls_set_fingerprint(p->dtls, "sha-256", t->fingerprint.value, t->fingerprint.len);
    g_assert(rc == 0);
}

static void parse(struct puppet *p, const char *text)
{
    struct sdp_error error;
    int rc = sdp_parse(p->sdp, text, strlen(text), &error);
    g_assert(rc == 0);
}

void puppet_take_answer(struct puppet *p, const char *answer)
{
    parse(p, answer);
    take_remote(p, p->sdp);
}

// The same m-lines from the other side; what it publishes keeps its SSRCs.
void puppet_answer(struct puppet *p, const char *offer, char *buf)
{
    parse(p, offer);
    take_remote(p, p->sdp);
    struct sdp *sdp = p->sdp;
    sdp->session_id = p->session_id;
    sdp->session_version = ++p->version;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        struct sdp_media *m = &sdp->media[i];
        m->direction = sdp_direction_reverse(m->direction);
        m->candidate_count = m->ssrc_count = m->group_count = 0;
        m->msid = (struct sdp_msid){0};
        m->transport.ufrag = sdp_span_of(p->ufrag);
        m->transport.pwd = sdp_span_of(p->pwd);
        m->transport.setup = p->dtls_server ? SDP_SETUP_PASSIVE : SDP_SETUP_ACTIVE;
        m->transport.end_of_candidates = false;
        const char *hex = dtls_cert_fingerprint(p->cfg.cert);
        for (unsigned b = 0; b < 32; b++)
            m->transport.fingerprint.value[b] =
                (uint8_t)(g_ascii_xdigit_value(hex[3 * b]) << 4 | g_ascii_xdigit_value(hex[3 * b + 1]));
    }
    int len = sdp_print(sdp, buf, PUPPET_SDP_MAX);
    g_assert(len > 0);
    g_free(p->agreed);
    p->agreed = g_strdup(buf);
}

void puppet_reoffer(struct puppet *p, char *buf)
{
    if (!p->agreed) {
        puppet_offer(p, buf);
        return;
    }
    parse(p, p->agreed);
    p->sdp->session_version = ++p->version;
    for (unsigned i = 0; i < p->sdp->media_count; i++) {
        struct sdp_transport *t = &p->sdp->media[i].transport;
        t->ufrag = sdp_span_of(p->ufrag);
        t->pwd = sdp_span_of(p->pwd);
        t->setup = SDP_SETUP_ACTPASS;
    }
    int len = sdp_print(p->sdp, buf, PUPPET_SDP_MAX);
    g_assert(len > 0);
}

// ---- driving -----------------------------------------------------------------------------------------------------

void puppet_send_raw(struct puppet *p, const void *data, size_t len)
{
    ssize_t n = sendto(p->fd, data, len, 0, (struct sockaddr *)&p->remote, sizeof(p->remote));
    (void)n; // a full socket loses it, as a network would
}

static void pump_dtls(struct puppet *p)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    size_t len;
    while ((len = dtls_next_tx(p->dtls, buf, sizeof(buf))) > 0)
        puppet_send_raw(p, buf, len);
    while ((len = dtls_read(p->dtls, buf, sizeof(buf))) > 0) {
        if (p->cfg.handlers.data)
            p->cfg.handlers.data(p->cfg.arg, p, buf, len);
    }
    struct cipher_keys seal, open;
    if (p->opener || dtls_srtp_keys(p->dtls, &seal, &open) < 0)
        return;
    p->sealer = cipher_sealer_new(&seal);
    p->opener = cipher_opener_new(&open);
    p->audio = cipher_stream_new(p->sealer, p->cfg.audio_ssrc);
    p->video = cipher_stream_new(p->sealer, p->cfg.video_ssrc);
    p->rtx = cipher_stream_new(p->sealer, p->cfg.video_ssrc + 1);
}

static void check(struct puppet *p, int64_t now_us)
{
    uint8_t buf[STUN_MESSAGE_MAX], id[STUN_ID_LEN] = {0};
    char username[520];
    snprintf(username, sizeof(username), "%s:%s", p->remote_ufrag, p->ufrag);
    wr32(id, g_random_int());
    id[4] = p->check_count++;
    puppet_send_raw(p, buf, stun_request(buf, id, username, p->remote_pwd));
    p->check_us = now_us + (puppet_is_connected(p) ? KEEPALIVE_US : CHECK_US);
}

static void rx_stun(struct puppet *p, const uint8_t *data, size_t len, const struct sockaddr_in *from, int64_t now_us)
{
    uint8_t buf[STUN_MESSAGE_MAX];
    if (stun_is_request(data, len)) {
        size_t n = stun_response(buf, data, from, p->pwd);
        ssize_t sent = sendto(p->fd, buf, n, 0, (const struct sockaddr *)from, sizeof(*from));
        (void)sent;
        return;
    }
    if (!stun_is_success(data, len) || p->valid)
        return;
    p->valid = true;
    dtls_start(p->dtls, now_us);
    pump_dtls(p);
}

static void rx_media(struct puppet *p, uint8_t *data, size_t len, bool rtcp, int64_t now_us)
{
    if (!p->opener)
        return;
    int n = rtcp ? cipher_open_rtcp(p->opener, data, len) : cipher_open(p->opener, data, len);
    if (n < 0)
        return;
    if (rtcp && p->cfg.handlers.rtcp)
        p->cfg.handlers.rtcp(p->cfg.arg, p, data, (size_t)n, now_us);
    if (!rtcp && p->cfg.handlers.rtp)
        p->cfg.handlers.rtp(p->cfg.arg, p, data, (size_t)n, now_us);
}

static int64_t arrival_ns(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        struct timespec ts;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&ts, CMSG_DATA(c), sizeof(ts));
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
    }
    return 0;
}

static void rx_datagram(struct puppet *p, uint8_t *data, struct mmsghdr *message, int64_t now_us)
{
    size_t len = message->msg_len;
    const struct puppet_handlers *h = &p->cfg.handlers;
    switch (demux(data, len)) {
    case DEMUX_STUN:
        rx_stun(p, data, len, message->msg_hdr.msg_name, now_us);
        break;
    case DEMUX_DTLS:
        if (!p->dtls)
            break;
        dtls_rx(p->dtls, data, len, now_us);
        pump_dtls(p);
        break;
    case DEMUX_RTP:
        if (!h->sealed || h->sealed(p->cfg.arg, p, data, len, arrival_ns(&message->msg_hdr)))
            rx_media(p, data, len, false, now_us);
        break;
    case DEMUX_RTCP:
        rx_media(p, data, len, true, now_us);
        break;
    default:
        break;
    }
}

// What a receive call fills in. It is shared by all puppets: they live on one thread.
static struct {
    struct mmsghdr messages[PUPPET_BATCH];
    struct iovec iov[PUPPET_BATCH];
    struct sockaddr_in from[PUPPET_BATCH];
    struct {
        _Alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(struct timespec))];
    } controls[PUPPET_BATCH];
    uint8_t bufs[PUPPET_BATCH][PACKET_ROOM];
    int used; // messages that have to be prepared again
} inbox = {.used = PUPPET_BATCH};

static void prepare_inbox(void)
{
    for (int i = 0; i < inbox.used; i++) {
        inbox.iov[i] = (struct iovec){inbox.bufs[i], PACKET_ROOM};
        inbox.messages[i].msg_hdr = (struct msghdr){.msg_name = &inbox.from[i],
                                                    .msg_namelen = sizeof(inbox.from[i]),
                                                    .msg_iov = &inbox.iov[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = inbox.controls[i].space,
                                                    .msg_controllen = sizeof(inbox.controls[i].space)};
    }
    inbox.used = 0;
}

void puppet_rx(struct puppet *p, int64_t now_us)
{
    do {
        prepare_inbox();
        int got = recvmmsg(p->fd, inbox.messages, PUPPET_BATCH, MSG_DONTWAIT, NULL);
        inbox.used = MAX(got, 0);
        for (int i = 0; i < got; i++)
            rx_datagram(p, inbox.bufs[i], &inbox.messages[i], now_us);
    } while (inbox.used == PUPPET_BATCH);
}

void puppet_tick(struct puppet *p, int64_t now_us)
{
    if (!p->has_remote)
        return;
    if (now_us >= p->check_us)
        check(p, now_us);
    if (p->dtls && now_us >= dtls_due(p->dtls)) {
        dtls_tick(p->dtls, now_us);
        pump_dtls(p);
    }
}

bool puppet_is_connected(const struct puppet *p)
{
    return p->valid && p->opener;
}

size_t puppet_seal_rtp(struct puppet *p, uint8_t *data, size_t len)
{
    if (!puppet_is_connected(p))
        return 0;
    uint32_t ssrc = rd32(data + 8);
    struct cipher_stream *stream = ssrc == p->cfg.audio_ssrc   ? p->audio
                                   : ssrc == p->cfg.video_ssrc ? p->video
                                                               : p->rtx;
    struct cipher_job job = {stream, data, len};
    cipher_seal(&job, 1);
    return job.len;
}

static struct cipher_stream *stream_of(struct puppet *p, const uint8_t *packet)
{
    uint32_t ssrc = rd32(packet + 8);
    if (ssrc == p->cfg.audio_ssrc)
        return p->audio;
    return ssrc == p->cfg.video_ssrc ? p->video : p->rtx;
}

bool puppet_send_frame(struct puppet *p, uint8_t *const *packets, size_t *lens, size_t count)
{
    struct cipher_job jobs[PUPPET_BATCH];
    struct mmsghdr messages[PUPPET_BATCH];
    struct iovec iov[PUPPET_BATCH];
    g_assert(count <= PUPPET_BATCH);
    if (!puppet_is_connected(p))
        return false;
    for (size_t i = 0; i < count; i++)
        jobs[i] = (struct cipher_job){stream_of(p, packets[i]), packets[i], lens[i]};
    cipher_seal(jobs, count);
    for (size_t i = 0; i < count; i++) {
        lens[i] = jobs[i].len;
        if (!lens[i])
            return false;
        iov[i] = (struct iovec){packets[i], lens[i]};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &p->remote, .msg_namelen = sizeof(p->remote), .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    return sendmmsg(p->fd, messages, (unsigned)count, MSG_DONTWAIT) == (int)count;
}

bool puppet_send_rtp(struct puppet *p, uint8_t *data, size_t len)
{
    return puppet_send_frame(p, &data, &len, 1);
}

bool puppet_send_rtcp(struct puppet *p, uint8_t *data, size_t len, size_t cap)
{
    size_t sealed = puppet_is_connected(p) ? cipher_seal_rtcp(p->sealer, data, len, cap) : 0;
    if (sealed)
        puppet_send_raw(p, data, sealed);
    return sealed > 0;
}

bool puppet_send_data(struct puppet *p, const uint8_t *data, size_t len)
{
    if (!p->dtls || dtls_send(p->dtls, data, len) < 0)
        return false;
    pump_dtls(p);
    return true;
}
