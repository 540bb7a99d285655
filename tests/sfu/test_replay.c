// Does what Chromium really sends come out whole, layer by layer? (tests/vectors/chromium156-plain-rtp)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "rtp/codec_vp9.h"
#include "rtp/demux.h"
#include "rtp/rtx.h"
#include "rtp/sdp_codec.h"
#include "rtp/seq.h"
#include "tests/rtp/dice.h"
#include "tests/rtp/rtpdump.h"
#include "tests/sfu/rig.h"

enum {
    LATE_MAX = 64,
    LATE_US = 60000,
    BEGIN_MS = 700, // by then all key frames of the recordings have come
};

// ---- the publisher as its offer describes it -------------------------------------------------------------

static void learn_numbers(struct rig *rig, const struct sdp_media *m, struct track *track)
{
    struct uplink *uplink = &rig->ingress.uplink;
    for (unsigned i = 0; i < m->codec_count; i++) {
        const struct sdp_codec *c = &m->codecs[i];
        enum codec codec;
        int apt = sdp_rtx_apt(c);
        if (apt >= 0)
            uplink->pt[c->pt] = (struct uplink_pt){.kind = UPLINK_RTX, .apt = (uint8_t)apt};
        else if (codec_find(c->name.p, c->name.len, c->clock_hz, c->channels, &codec))
            uplink->pt[c->pt] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = codec};
        else
            continue;
        track_accept_pt(track, c->pt);
    }
    for (unsigned i = 0; i < m->extmap_count; i++) {
        enum ext_house house = ext_by_uri(m->extmaps[i].uri.p, m->extmaps[i].uri.len);
        if (house != EXT_NONE)
            assert_int_equal(ext_map_add(&uplink->ext, (uint8_t)m->extmaps[i].id, house), 0);
    }
}

static struct track *open_track(struct rig *rig, const struct sdp_media *m)
{
    static char rid[TRACK_LAYERS_MAX][SDP_RID_MAX + 1];
    char mid[SDP_MID_MAX + 1];
    sdp_span_copy(m->mid, mid, sizeof(mid));
    struct track_config cfg = {.uplink = &rig->ingress.uplink,
                               .mid = mid,
                               .cname = "ann",
                               .source = m->kind == SDP_VIDEO ? SFU_CAMERA : SFU_MICROPHONE,
                               .video = m->kind == SDP_VIDEO,
                               .rid_count = m->simulcast_send.count,
                               .nack = true,
                               .pli = true};
    for (unsigned i = 0; i < cfg.rid_count; i++) {
        sdp_span_copy(m->simulcast_send.rids[i].rid, rid[i], sizeof(rid[i]));
        cfg.rids[i] = rid[i];
    }
    struct track *track = track_new(&cfg);
    learn_numbers(rig, m, track);
    if (m->ssrc_count)
        assert_int_equal(ingress_declare(&rig->ingress, track, 0, false, m->ssrcs[0].ssrc), 0);
    if (m->group_count)
        assert_int_equal(ingress_declare(&rig->ingress, track, 0, true, m->groups[0].ssrcs[1]), 0);
    return track;
}

// ---- what was received, and what came of it --------------------------------------------------------------

struct late {
    int64_t at_us;
    size_t len;
    uint8_t buf[PACKET_ROOM];
};

struct replay {
    struct rig rig;
    struct track *audio;
    char name[64];

    // what is lost on the way
    struct dice dice;
    unsigned loss_permille;
    uint8_t rtx_pt[128]; // by media payload type
    uint16_t rtx_seq;
    unsigned late_count, late_done;
    struct late late[LATE_MAX];
};

static void learn_rtx(struct replay *r)
{
    for (unsigned pt = 0; pt < 128; pt++)
        if (r->rig.ingress.uplink.pt[pt].kind == UPLINK_RTX)
            r->rtx_pt[r->rig.ingress.uplink.pt[pt].apt] = (uint8_t)pt;
}

static void replay_open(struct replay *r, const char *name, enum codec codec)
{
    static struct sdp sdp;
    struct sdp_error err;
    size_t len;
    char path[128];
    memset(r, 0, sizeof(*r));
    snprintf(r->name, sizeof(r->name), "chromium156-plain-rtp/%s", name);
    snprintf(path, sizeof(path), "%s.offer.sdp", r->name);
    char *text = (char *)vector_read(path, &len);
    assert_int_equal(sdp_parse(&sdp, text, len, &err), 0);
    rig_init(&r->rig);
    for (unsigned i = 0; i < sdp.media_count; i++) {
        if (sdp.media[i].kind == SDP_VIDEO)
            r->rig.track = open_track(&r->rig, &sdp.media[i]);
        else if (sdp.media[i].kind == SDP_AUDIO)
            r->audio = open_track(&r->rig, &sdp.media[i]);
    }
    free(text);
    learn_rtx(r);
    r->rig.sink.pt[codec] = RIG_OUT_PT;
    r->rig.sink.rtx_pt[codec] = RIG_OUT_RTX_PT;
    r->rig.sink.ext_id[EXT_DEPENDENCY_DESCRIPTOR] = 3;
    r->rig.sink.ext_id[EXT_TWCC] = 5;
    r->rig.sub = rig_subscribe(&r->rig);
}

static void replay_close(struct replay *r)
{
    ingress_forget(&r->rig.ingress, r->audio);
    track_free(r->audio);
    rig_close(&r->rig);
}

// A packet that is lost comes again after a while, inside RTX, as the publisher answers our NACK.
static void lose(struct replay *r, const uint8_t *buf, size_t len)
{
    struct late *late = &r->late[r->late_count++ % LATE_MAX];
    const struct layer *layer = &r->rig.track->layer[0];
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, buf, len), RTP_OK);
    late->len = rtx_wrap(&rtp, buf, r->rtx_pt[rtp.pt], layer->rtx_ssrc, r->rtx_seq++, late->buf, sizeof(late->buf));
    late->at_us = r->rig.now_us + LATE_US;
    assert_true(late->len > 0);
}

static bool is_lost(struct replay *r, const struct rtpdump *d)
{
    bool ours = d->at_ms > BEGIN_MS && rd32(d->buf + 8) == r->rig.track->layer[0].ssrc;
    return ours && dice_below(&r->dice, 1000) < r->loss_permille;
}

static void come_again(struct replay *r)
{
    for (; r->late_done < r->late_count && r->late[r->late_done % LATE_MAX].at_us <= r->rig.now_us; r->late_done++)
        rig_rx(&r->rig, r->late[r->late_done % LATE_MAX].buf, r->late[r->late_done % LATE_MAX].len);
}

static int by_seq(const void *a, const void *b)
{
    return seq_diff(((const struct rig_out *)a)->rtp.seq, ((const struct rig_out *)b)->rtp.seq);
}

// Puts what came out in order, as a receiver does, and takes out what is only padding. No number is missing or there
// twice.
static void put_in_order(struct rig *rig)
{
    unsigned kept = 0;
    assert_true(rig->count <= RIG_OUT_MAX);
    qsort(rig->out, rig->count, sizeof(rig->out[0]), by_seq);
    for (unsigned i = 1; i < rig->count; i++)
        assert_int_equal((uint16_t)(rig->out[i].rtp.seq - rig->out[i - 1].rtp.seq), 1);
    for (unsigned i = 0; i < rig->count; i++)
        if (rig->out[i].rtp.payload_len)
            rig->out[kept++] = rig->out[i];
    rig->count = kept;
}

// Plays the recording from its beginning, as fast as it was.
static void replay_run(struct replay *r)
{
    struct rtpdump d;
    char path[128];
    int64_t start_us = r->rig.now_us;
    snprintf(path, sizeof(path), "%s.a2b.rtpdump", r->name);
    rtpdump_open(&d, path);
    while (rtpdump_next(&d)) {
        int64_t at_us = start_us + d.at_ms * INT64_C(1000);
        if (at_us > r->rig.now_us + 10000)
            rig_tick(&r->rig, at_us - r->rig.now_us - 10000);
        r->rig.now_us = at_us;
        come_again(r);
        if (demux(d.buf, d.len) == DEMUX_RTCP)
            feedback_rx(&r->rig.tells, d.buf, d.len, r->rig.now_us);
        else if (is_lost(r, &d))
            lose(r, d.buf, d.len);
        else
            rig_rx(&r->rig, d.buf, d.len);
    }
    rtpdump_close(&d);
    r->rig.now_us += LATE_US;
    come_again(r);
    put_in_order(&r->rig);
}

// ---- what comes out --------------------------------------------------------------------------------------

static const struct rig_out *nth(const struct rig *rig, unsigned n)
{
    assert_true(n < rig->count);
    return &rig->out[n];
}

// Time never goes back, and moves on where a picture ended, and only there. Of `open` pictures Chromium itself never
// sent the end: its encoder dropped the upper layers.
static void check_stream(const struct rig *rig, unsigned open)
{
    unsigned ends = 0, pictures = 1;
    for (unsigned i = 0; i < rig->count; i++) {
        const struct rtp *rtp = &nth(rig, i)->rtp;
        assert_int_equal(rtp->ssrc, RIG_OUT_SSRC);
        assert_int_equal(rtp->pt, RIG_OUT_PT);
        if (!i)
            continue;
        const struct rtp *before = &nth(rig, i - 1)->rtp;
        assert_true(rtp->ts == before->ts ? !before->marker : ts_newer(rtp->ts, before->ts));
        pictures += rtp->ts != before->ts;
        ends += before->marker;
    }
    assert_true(ends + open + 1 >= pictures);
}

struct inspected {
    struct codec_info info;
    struct dd_frame dd;
    bool has_dd;
};

static void inspect(const struct rig_out *out, enum codec codec, struct codec_state *state, struct dd_state *dds,
                    struct inspected *result)
{
    struct ext dd = {0};
    bool has = ext_find(&out->rtp, out->buf, 3, &dd);
    result->has_dd = has && dd_parse(dds, dd.data, dd.len, &result->dd) == 0;
    assert_int_equal(codec_inspect(codec, state, out->buf + out->rtp.payload_off, out->rtp.payload_len,
                                   out->rtp.marker, dd.data, dd.len, &result->info),
                     0);
}

// Every frame that a frame refers to has been sent, whole and before it: by the dependency descriptor.
static void check_descriptors(const struct rig *rig, enum codec codec)
{
    static uint8_t whole[65536];
    struct codec_state state = {0};
    struct dd_state dds = {0};
    struct inspected in;
    memset(whole, 0, sizeof(whole));
    for (unsigned i = 0; i < rig->count; i++) {
        inspect(nth(rig, i), codec, &state, &dds, &in);
        assert_true(in.has_dd);
        for (unsigned j = 0; j < in.dd.fdiff_count; j++)
            assert_true(whole[(uint16_t)(in.dd.frame_number - in.dd.fdiff[j])]);
        whole[in.dd.frame_number] = in.dd.end_of_frame;
    }
}

// The same by VP9's own descriptor (flexible mode, RFC 9628 section 4.2).
static void check_vp9(const struct rig *rig)
{
    static uint8_t whole[32768]; // bit per spatial layer, by picture id
    memset(whole, 0, sizeof(whole));
    for (unsigned i = 0; i < rig->count; i++) {
        const struct rig_out *out = nth(rig, i);
        struct vp9_descriptor d;
        assert_int_equal(vp9_parse(&d, out->buf + out->rtp.payload_off, out->rtp.payload_len), 0);
        assert_true(d.flexible);
        assert_true(!d.inter_layer || whole[d.picture_id] >> (d.sid - 1) & 1);
        assert_true(!d.inter_picture || d.reference_count > 0);
        for (unsigned j = 0; j < d.reference_count; j++)
            assert_true(whole[(d.picture_id - d.reference[j]) & 0x7fff] >> d.sid & 1);
        if (d.end_of_frame)
            whole[d.picture_id] |= (uint8_t)(1U << d.sid);
    }
}

// ---- cases -----------------------------------------------------------------------------------------------

// One SSRC, one layer: all of it, and nothing of the probes around it.
static void check_plain(const char *name, enum codec codec, unsigned packets)
{
    static struct replay r;
    replay_open(&r, name, codec);
    replay_run(&r);
    assert_int_equal(r.rig.count, packets);
    check_stream(&r.rig, 0);
    assert_int_equal(r.audio->layer[0].stats.rx.packets, 200);
    assert_int_equal(r.rig.publisher.drops[DROP_UNKNOWN_SSRC] + r.rig.publisher.drops[DROP_UNKNOWN_PT], 0);
    assert_int_equal(r.rig.track->layer[0].stats.drops[DROP_BAD_PAYLOAD], 0);
    assert_true(r.rig.ingress.uplink.has_clock);
    replay_close(&r);
}

static void plain_streams_come_out_whole(void **state)
{
    (void)state;
    check_plain("vp8", CODEC_VP8, 121);
    check_plain("h264cb", CODEC_H264, 97);
    check_plain("av1", CODEC_AV1, 106);
}

static void check_rid(int rid, int temporal, unsigned packets)
{
    static struct replay r;
    replay_open(&r, "vp8_sim", CODEC_VP8);
    sub_set_layer(r.rig.sub, rid, temporal, r.rig.now_us);
    replay_run(&r);
    const struct layer *layer = &r.rig.track->layer[rid];
    assert_int_equal(layer->recvstats.packets, packets);
    assert_int_equal(layers_current(&r.rig.sub->layers), rid);
    assert_int_equal(r.rig.publisher.drops[DROP_UNKNOWN_SSRC], 0);
    check_stream(&r.rig, 0);
    check_descriptors(&r.rig, CODEC_VP8);
    if (temporal < 0) {
        assert_true(r.rig.count >= packets);
        assert_true(r.rig.count <= packets + 10 * (unsigned)rid); // smaller ones until its key frame came
    } else {
        assert_true(r.rig.count < packets);
    }
    replay_close(&r);
}

// Chromium leaves picture ids out of VP8 when it sends the dependency descriptor.
static void one_rid_at_a_time(void **state)
{
    (void)state;
    static const unsigned packets[] = {64, 102, 244};
    for (int rid = 0; rid < 3; rid++)
        for (int temporal = -1; temporal < 2; temporal++)
            check_rid(rid, temporal, packets[rid]);
}

static unsigned check_svc(const char *name, enum codec codec, int spatial, int temporal, unsigned loss_permille)
{
    static struct replay r;
    replay_open(&r, name, codec);
    r.loss_permille = loss_permille;
    sub_set_layer(r.rig.sub, spatial, temporal, r.rig.now_us);
    replay_run(&r);
    check_stream(&r.rig, spatial ? 1 : 0);
    if (codec == CODEC_AV1)
        check_descriptors(&r.rig, codec);
    else
        check_vp9(&r.rig);

    struct codec_state state = {0};
    struct dd_state dds = {0};
    struct inspected in;
    uint64_t bit = codec_layer_bit((unsigned)spatial, (unsigned)temporal);
    for (unsigned i = 0; i < r.rig.count; i++) {
        inspect(nth(&r.rig, i), codec, &state, &dds, &in);
        assert_true(in.info.layers & bit);
        assert_true(in.info.spatial <= spatial && in.info.temporal <= temporal);
    }
    uint64_t left_out = r.rig.sub->stats.drops[DROP_OTHER_LAYER];
    assert_int_equal(r.rig.count + left_out,
                     r.rig.track->layer[0].recvstats.packets + r.late_done); // in = out + these
    assert_int_equal(r.late_done > 0, loss_permille > 0);
    unsigned count = r.rig.count;
    replay_close(&r);
    return count;
}

static void every_layer_of_svc(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
    } recordings[] = {{"vp9_l3t3", CODEC_VP9}, {"av1_l3t3", CODEC_AV1}};
    for (unsigned i = 0; i < 2; i++) {
        unsigned packets[3][3];
        for (int s = 0; s < 3; s++)
            for (int t = 0; t < 3; t++)
                packets[s][t] = check_svc(recordings[i].name, recordings[i].codec, s, t, 0);
        for (int n = 1; n < 3; n++)
            for (int m = 0; m < 3; m++) {
                assert_true(packets[n - 1][m] < packets[n][m]);
                assert_true(packets[m][n - 1] < packets[m][n]);
            }
    }
}

// Lost packets come late, among them such as are not for this receiver: it gets the same pictures.
static void every_layer_of_svc_with_loss(void **state)
{
    (void)state;
    for (int s = 0; s < 3; s++)
        for (int t = 0; t < 3; t++) {
            assert_int_equal(check_svc("vp9_l3t3", CODEC_VP9, s, t, 50), check_svc("vp9_l3t3", CODEC_VP9, s, t, 0));
            assert_int_equal(check_svc("av1_l3t3", CODEC_AV1, s, t, 50), check_svc("av1_l3t3", CODEC_AV1, s, t, 0));
        }
}

// What a receiver of fewer layers is told about the decode targets it gets (AV1 RTP, A.4).
static void fewer_layers_are_announced(void **state)
{
    (void)state;
    static struct replay r;
    replay_open(&r, "av1_l3t3", CODEC_AV1);
    sub_set_layer(r.rig.sub, 1, 0, r.rig.now_us);
    replay_run(&r);
    struct codec_state codec = {0};
    struct dd_state dds = {0};
    struct inspected in;
    inspect(nth(&r.rig, 0), CODEC_AV1, &codec, &dds, &in);
    assert_true(in.dd.has_structure && in.dd.has_active);
    unsigned targets = 0;
    for (unsigned i = 0; i < dds.target_count; i++)
        if (dds.active >> i & 1) {
            assert_true(dds.target[i].spatial <= 1 && dds.target[i].temporal == 0);
            targets++;
        }
    assert_int_equal(targets, 2);
    replay_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_streams_come_out_whole), cmocka_unit_test(one_rid_at_a_time),
        cmocka_unit_test(every_layer_of_svc),           cmocka_unit_test(every_layer_of_svc_with_loss),
        cmocka_unit_test(fewer_layers_are_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
