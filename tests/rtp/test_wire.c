// Do the wire parsers together take what a browser really sends, and survive all that resembles it?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/demux.h"
#include "rtp/ext.h"
#include "rtp/ntp.h"
#include "rtp/rtcpfb.h"
#include "rtp/rtx.h"
#include "rtp/seq.h"
#include "rtp/twcc.h"
#include "tests/rtp/rtpdump.h"

enum { STREAMS_MAX = 8 };

struct stream {
    uint32_t ssrc;
    uint8_t pt;
    struct seq_unwrap unwrap;
    uint64_t first, packets, osns, probes;
    char mid[EXT_TEXT_MAX + 1], rid[EXT_TEXT_MAX + 1], rrid[EXT_TEXT_MAX + 1];
};

// What one recording holds.
struct recording {
    struct ext_map map;
    struct stream streams[STREAMS_MAX];
    unsigned stream_count;
    unsigned elements[EXT_HOUSE_COUNT];
    unsigned two_byte, padded, reports, unknown_elements;
    struct seq_unwrap twcc;
    uint64_t twcc_first, twcc_count;
};

// Takes the ids of an offer's `a=extmap:<id>[/<direction>] <uri>` lines.
static void map_read(struct ext_map *map, const char *name)
{
    size_t len;
    uint8_t *file = vector_read(name, &len);
    char *text = malloc(len + 1);
    memcpy(text, file, len);
    text[len] = '\0';
    char *end = NULL;
    for (char *line = strstr(text, "a=extmap:"); line; line = strstr(line, "a=extmap:")) {
        unsigned long id = strtoul(line + strlen("a=extmap:"), &end, 10);
        char *uri = strchr(end, ' ') + 1;
        enum ext_house house = ext_by_uri(uri, strcspn(uri, "\r\n"));
        line = uri;
        if (house != EXT_NONE)
            assert_int_equal(ext_map_add(map, (uint8_t)id, house), 0);
    }
    free(text);
    free(file);
}

static struct stream *stream_find(struct recording *rec, const struct rtp *rtp)
{
    for (unsigned i = 0; i < rec->stream_count; i++)
        if (rec->streams[i].ssrc == rtp->ssrc)
            return &rec->streams[i];
    assert_true(rec->stream_count < STREAMS_MAX);
    struct stream *s = &rec->streams[rec->stream_count++];
    s->ssrc = rtp->ssrc;
    s->pt = rtp->pt;
    s->first = seq_unwrap_rx(&s->unwrap, rtp->seq);
    return s;
}

static void take_text(const struct ext_view *view, const uint8_t *buf, enum ext_house house, char *out)
{
    struct ext e = ext_view_get(view, buf, house);
    char text[EXT_TEXT_MAX + 1];
    if (!e.data)
        return;
    assert_int_equal(ext_text_parse(&e, text), 0);
    if (*out)
        assert_string_equal(out, text); // a stream does not change its name
    strcpy(out, text);
}

static void take_elements(struct recording *rec, const struct rtp *rtp, const uint8_t *buf, struct stream *s)
{
    struct ext_view view;
    struct ext e;
    ext_view_init(&view, rtp, buf, &rec->map);
    struct ext_iter it = ext_iter(rtp, buf);
    while (ext_next(&it, &e))
        rec->unknown_elements += rec->map.to_house[e.id] == EXT_NONE;
    for (int house = EXT_NONE + 1; house < EXT_HOUSE_COUNT; house++)
        rec->elements[house] += ext_view_has(&view, (enum ext_house)house);
    take_text(&view, buf, EXT_MID, s->mid);
    take_text(&view, buf, EXT_RID, s->rid);
    take_text(&view, buf, EXT_RRID, s->rrid);
    uint16_t seq;
    e = ext_view_get(&view, buf, EXT_TWCC);
    assert_int_equal(ext_twcc_parse(&e, &seq), 0);
    uint64_t n = seq_unwrap_rx(&rec->twcc, seq);
    if (!rec->twcc_count++)
        rec->twcc_first = n;
    if (s->pt == 111) {
        struct ext_audio_level level;
        e = ext_view_get(&view, buf, EXT_AUDIO_LEVEL);
        assert_int_equal(ext_audio_level_parse(&e, &level), 0);
    }
}

// The list writer gives back what the iterator read, in the same form.
static void rewrites(const struct rtp *rtp, const uint8_t *buf)
{
    uint8_t block[512];
    struct ext_list list = {.n = 0};
    struct ext_iter it = ext_iter(rtp, buf);
    struct ext e;
    while (ext_next(&it, &e))
        ext_list_add(&list, e.id, e.data, e.len);
    size_t len = ext_list_write(&list, block, sizeof(block));
    assert_int_equal(rd16(block), rtp->ext_profile);
    assert_int_equal(len, RTP_EXT_HEAD_LEN + rtp->ext_len);
    assert_memory_equal(block, buf + rtp->ext_off - RTP_EXT_HEAD_LEN, len);
}

static void take_rtp(struct recording *rec, const uint8_t *buf, size_t len)
{
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, buf, len), RTP_OK);
    assert_int_equal(rtp.payload_off + rtp.payload_len + rtp.padding_len, len);
    struct stream *s = stream_find(rec, &rtp);
    assert_int_equal(rtp.pt, s->pt);
    seq_unwrap_rx(&s->unwrap, rtp.seq);
    s->packets++;
    rec->two_byte += (rtp.ext_profile & 0xfff0) == EXT_TWO_BYTE;
    rec->padded += rtp.padding_len > 0;
    take_elements(rec, &rtp, buf, s);
    rewrites(&rtp, buf);
}

static void take_rtcp(struct recording *rec, const uint8_t *buf, size_t len)
{
    struct reader r = reader_of(buf, len), reports;
    struct rtcp p;
    while (rtcp_next(&r, &p)) {
        struct rtcp_sr sr;
        struct rtcp_sdes sdes;
        if (p.type == RTCP_SR) {
            assert_int_equal(rtcp_sr_parse(&p, &sr, &reports), 0);
            assert_in_range(ntp_to_us(sr.ntp) / 1000000, 1700000000, 1900000000); // 2023..2030
            rec->reports++;
        }
        while (p.type == RTCP_SDES && rtcp_sdes_next(&p.body, &sdes))
            assert_true(sdes.cname && (sdes.cname_len == 16 || sdes.cname_len == 0)); // empty with simulcast
    }
    assert_true(r.ok);
}

// Every number between the first and the last was there: nothing was lost on the way to the recorder.
static void expect_complete(uint64_t first, uint64_t last, uint64_t packets)
{
    assert_int_equal(last - first + 1, packets);
}

static struct recording recording_read(const char *name)
{
    struct recording rec = {0};
    struct rtpdump d;
    char path[128];
    snprintf(path, sizeof(path), "chromium156-plain-rtp/%s.offer.sdp", name);
    map_read(&rec.map, path);
    snprintf(path, sizeof(path), "chromium156-plain-rtp/%s.a2b.rtpdump", name);
    rtpdump_open(&d, path);
    while (rtpdump_next(&d)) {
        if (demux(d.buf, d.len) == DEMUX_RTP)
            take_rtp(&rec, d.buf, d.len);
        else
            take_rtcp(&rec, d.buf, d.len);
    }
    rtpdump_close(&d);
    for (unsigned i = 0; i < rec.stream_count; i++)
        expect_complete(rec.streams[i].first, rec.streams[i].unwrap.newest, rec.streams[i].packets);
    expect_complete(rec.twcc_first, rec.twcc.newest, rec.twcc_count);
    return rec;
}

static void one_layer(void **state)
{
    (void)state;
    static const char *const names[] = {"vp8", "h264cb", "av1"};
    for (int i = 0; i < 3; i++) {
        struct recording rec = recording_read(names[i]);
        assert_int_equal(rec.stream_count, 3); // audio, video, its retransmissions
        assert_true(rec.reports >= 5);
        assert_true(rec.padded > 0);
        assert_int_equal(rec.two_byte, 0);
        assert_int_equal(rec.elements[EXT_AUDIO_LEVEL], 200);
        assert_true(rec.elements[EXT_MID] > 0);
    }
}

static void layers_in_one_stream(void **state)
{
    (void)state;
    static const char *const names[] = {"vp9_l3t3", "av1_l3t3"};
    for (int i = 0; i < 2; i++) {
        struct recording rec = recording_read(names[i]);
        assert_int_equal(rec.stream_count, 3);
        assert_true(rec.elements[EXT_DEPENDENCY_DESCRIPTOR] > 300);
        assert_true(rec.elements[EXT_VLA] > 0);
        assert_true(rec.two_byte > 0);
    }
}

static void simulcast(void **state)
{
    (void)state;
    struct recording rec = recording_read("vp8_sim");
    unsigned rids = 0, rrids = 0;
    for (unsigned i = 0; i < rec.stream_count; i++) {
        const struct stream *s = &rec.streams[i];
        assert_string_equal(s->mid, s->pt == 111 ? "1" : "0");
        if (*s->rid && s->pt == 96)
            rids |= 1u << (*s->rid == 'q' ? 0 : *s->rid == 'h' ? 1 : *s->rid == 'f' ? 2 : 3);
        if (*s->rrid && s->pt == 97)
            rrids++;
    }
    assert_int_equal(rids, 7);
    assert_true(rrids > 0);
    assert_true(rec.two_byte > 0);
}

// A retransmission names a number of the stream it repairs, and is its packet again.
static void retransmissions(void **state)
{
    (void)state;
    static struct {
        uint8_t *buf;
        size_t len;
    } seen[65536];
    unsigned repaired = 0, probes = 0;
    uint32_t video_ssrc = 0;
    struct rtpdump d;
    rtpdump_open(&d, "chromium156-plain-rtp/vp8.a2b.rtpdump");
    while (rtpdump_next(&d)) {
        struct rtp rtp, original;
        if (demux(d.buf, d.len) != DEMUX_RTP || rtp_parse(&rtp, d.buf, d.len))
            continue;
        if (rtp.pt == 96) {
            video_ssrc = rtp.ssrc;
            seen[rtp.seq].buf = malloc(d.len);
            seen[rtp.seq].len = d.len;
            memcpy(seen[rtp.seq].buf, d.buf, d.len);
        }
        if (rtp.pt != 97)
            continue;
        if (rtx_unwrap(&rtp, d.buf, 96, video_ssrc)) {
            probes++;
            continue;
        }
        assert_non_null(seen[rtp.seq].buf);
        assert_int_equal(rtp_parse(&original, seen[rtp.seq].buf, seen[rtp.seq].len), RTP_OK);
        assert_int_equal(rtp.ssrc, original.ssrc);
        assert_int_equal(rtp.ts, original.ts);
        assert_int_equal(rtp.payload_len, original.payload_len);
        assert_memory_equal(d.buf + rtp.payload_off, seen[original.seq].buf + original.payload_off, rtp.payload_len);
        repaired++;
    }
    rtpdump_close(&d);
    for (unsigned i = 0; i < 65536; i++)
        free(seen[i].buf);
    assert_int_equal(repaired, 12);
    assert_int_equal(probes, 8);
}

// ---- what resembles it: the sanitizers judge ------------------------------------------------------------------

static uint64_t sink; // keeps what was read alive

static void chew_rtp(const uint8_t *buf, size_t len, const struct ext_map *map)
{
    struct rtp rtp;
    struct ext_view view;
    struct ext e;
    char line[64];
    uint8_t out[2048];
    if (rtp_parse(&rtp, buf, len))
        return;
    assert_true((size_t)rtp.payload_off + rtp.payload_len + rtp.padding_len == len);
    rtp_print(&rtp, line, sizeof(line));
    struct ext_iter it = ext_iter(&rtp, buf);
    while (ext_next(&it, &e))
        for (unsigned i = 0; i < e.len; i++)
            sink += e.data[i];
    ext_view_init(&view, &rtp, buf, map);
    for (int house = 1; house < EXT_HOUSE_COUNT; house++) {
        char text[EXT_TEXT_MAX + 1];
        e = ext_view_get(&view, buf, (enum ext_house)house);
        sink += (unsigned)ext_text_parse(&e, text);
    }
    sink += rtx_wrap(&rtp, buf, 97, 1, 1, out, sizeof(out));
    if (!rtx_unwrap(&rtp, buf, 96, 1)) {
        sink += rtx_wrap(&rtp, buf, 97, 1, 1, out, sizeof(out));
        for (unsigned i = 0; i < rtp.payload_len; i++)
            sink += buf[rtp.payload_off + i];
    }
}

static void chew_feedback(const struct rtcp *p)
{
    struct rtcpfb fb;
    struct twcc twcc;
    uint64_t bps;
    struct reader ssrcs;
    struct rtcpfb_fir fir;
    uint16_t seq;
    char line[256];
    if (rtcpfb_parse(p, &fb))
        return;
    rtcpfb_print(&fb, line, sizeof(line));
    sink += (unsigned)rtcpfb_remb_parse(&fb, &bps, &ssrcs);
    struct rtcpfb_nack_iter nack = rtcpfb_nack_iter(&fb);
    while (rtcpfb_nack_next(&nack, &seq))
        sink += seq;
    if (!twcc_parse(&fb, &twcc)) {
        struct twcc_iter it = twcc_iter(&twcc);
        struct twcc_status s;
        unsigned n = 0;
        while (twcc_next(&it, &s))
            n++;
        assert_int_equal(n, twcc.count);
        assert_true(it.deltas.ok);
        twcc_print(&twcc, line, sizeof(line));
    }
    while (rtcpfb_fir_next(&fb.fci, &fir))
        sink += fir.ssrc;
}

static void chew_rtcp(const uint8_t *buf, size_t len)
{
    struct reader r = reader_of(buf, len);
    struct rtcp p;
    char line[256];
    while (rtcp_next(&r, &p)) {
        assert_true(p.body.p >= buf && p.body.end <= buf + len && p.body.p <= p.body.end);
        rtcp_print(&p, line, sizeof(line));
        chew_feedback(&p);
    }
}

static void chew(const uint8_t *buf, size_t len, const struct ext_map *map)
{
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, buf, len);
    sink += demux(exact, len);
    chew_rtp(exact, len, map);
    chew_rtcp(exact, len);
    free(exact);
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

// Every truncation of the first octets, and octets changed at random, mostly in the headers.
static void chew_variants(const uint8_t *buf, size_t len, const struct ext_map *map, uint32_t *seed)
{
    uint8_t copy[2048];
    assert_true(len <= sizeof(copy));
    for (size_t cut = 0; cut < len && cut < 80; cut++)
        chew(buf, cut, map);
    for (int round = 0; round < 60; round++) {
        memcpy(copy, buf, len);
        size_t range = round % 4 && len > 64 ? 64 : len;
        for (uint32_t i = 0; i <= random_next(seed) % 4; i++)
            copy[random_next(seed) % range] = (uint8_t)random_next(seed);
        chew(copy, len - random_next(seed) % 2 * (random_next(seed) % (len / 2)), map);
    }
}

static void mutations(void **state)
{
    (void)state;
    static const char *const names[] = {"vp8.a2b", "vp8_sim.a2b", "av1_l3t3.a2b",
                                        "vp8.b2a", "vp8_sim.b2a", "av1_l3t3.b2a"};
    uint32_t seed = 42;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct ext_map map = {0};
        struct rtpdump d;
        char path[128];
        map_read(&map, "chromium156-plain-rtp/vp8_sim.offer.sdp");
        snprintf(path, sizeof(path), "chromium156-plain-rtp/%s.rtpdump", names[i]);
        rtpdump_open(&d, path);
        while (rtpdump_next(&d))
            if (d.count % 4 == 1 || d.len < 200)
                chew_variants(d.buf, d.len, &map, &seed);
        rtpdump_close(&d);
    }
}

// Feedback of every sort, for the recordings have few sorts.
static void mutated_feedback(void **state)
{
    (void)state;
    uint8_t buf[1200];
    uint32_t seed = 43;
    struct ext_map map = {0};
    struct rtcp_report reports[3] = {{.ssrc = 1}, {.ssrc = 2}, {.ssrc = 3}};
    for (int round = 0; round < 200; round++) {
        struct writer w = writer_of(buf, sizeof(buf));
        rtcp_sr_write(&w, &(struct rtcp_sr){1, 2, 3, 4, 5}, reports, random_next(&seed) % 4);
        rtcp_sdes_write(&w, 1, "some name", random_next(&seed) % 10);
        rtcpfb_nack_write(&w, 1, 2, (const uint16_t[]){1, 2, 3, 50, 60}, 5);
        rtcpfb_pli_write(&w, 1, 2);
        rtcpfb_fir_write(&w, 1, &(struct rtcpfb_fir){1, 2}, 1);
        rtcpfb_remb_write(&w, 1, 1u << 31, (const uint32_t[]){1, 2, 3}, 3);
        rtcp_bye_write(&w, (const uint32_t[]){1, 2}, 2);
        assert_true(w.ok);
        chew_variants(buf, writer_len(&w), &map, &seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer), cmocka_unit_test(layers_in_one_stream),
        cmocka_unit_test(simulcast), cmocka_unit_test(retransmissions),
        cmocka_unit_test(mutations), cmocka_unit_test(mutated_feedback),
    };
    return cmocka_run_group_tests_name("rtp/wire", tests, NULL, NULL);
}
