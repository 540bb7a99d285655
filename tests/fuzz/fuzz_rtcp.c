// Does every RTCP packet stay within its length, and say the same when written again? (rtp/rtcp.c, rtcpfb.c)
// SPDX-License-Identifier: MIT
#include "rtp/rtcp.h"
#include "rtp/rtcpfb.h"
#include "tests/fuzz/fuzz.h"

static uint8_t buf[65536];

// The one packet that was written to buf.
static struct rtcp written(const struct writer *w)
{
    struct rtcp rtcp;
    struct reader r = reader_of(buf, writer_len(w));
    assert(w->ok && rtcp_next(&r, &rtcp) && reader_left(&r) == 0 && r.ok);
    return rtcp;
}

static size_t take_reports(struct reader *r, struct rtcp_report reports[RTCP_REPORTS_MAX])
{
    size_t n = 0;
    while (n < RTCP_REPORTS_MAX && rtcp_report_next(r, &reports[n]))
        n++;
    assert(reader_left(r) == 0);
    return n;
}

static void check_reports(struct reader *r, const struct rtcp_report *reports, size_t n)
{
    struct rtcp_report report;
    for (size_t i = 0; i < n; i++) {
        assert(rtcp_report_next(r, &report));
        assert(report.ssrc == reports[i].ssrc && report.lost == reports[i].lost && report.lsr == reports[i].lsr);
        assert(report.fraction_lost == reports[i].fraction_lost && report.ext_seq == reports[i].ext_seq);
        assert(report.jitter_ts == reports[i].jitter_ts && report.dlsr == reports[i].dlsr);
    }
    assert(!rtcp_report_next(r, &report));
}

static void check_sr(const struct rtcp *rtcp)
{
    struct rtcp_sr sr, again;
    struct rtcp_report reports[RTCP_REPORTS_MAX];
    struct reader r;
    if (rtcp_sr_parse(rtcp, &sr, &r))
        return;
    size_t n = take_reports(&r, reports);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_sr_write(&w, &sr, reports, n);
    struct rtcp copy = written(&w);
    assert(rtcp_sr_parse(&copy, &again, &r) == 0);
    assert(again.ssrc == sr.ssrc && again.ntp == sr.ntp && again.ts == sr.ts);
    assert(again.packets == sr.packets && again.octets == sr.octets);
    check_reports(&r, reports, n);
}

static void check_rr(const struct rtcp *rtcp)
{
    uint32_t ssrc, again;
    struct rtcp_report reports[RTCP_REPORTS_MAX];
    struct reader r;
    if (rtcp_rr_parse(rtcp, &ssrc, &r))
        return;
    size_t n = take_reports(&r, reports);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_rr_write(&w, ssrc, reports, n);
    struct rtcp copy = written(&w);
    assert(rtcp_rr_parse(&copy, &again, &r) == 0 && again == ssrc);
    check_reports(&r, reports, n);
}

static void check_sdes(const struct rtcp *rtcp)
{
    struct rtcp_sdes sdes, again;
    struct reader r = rtcp->body;
    while (rtcp->type == RTCP_SDES && rtcp_sdes_next(&r, &sdes)) {
        if (!sdes.cname)
            continue;
        struct writer w = writer_of(buf, sizeof(buf));
        rtcp_sdes_write(&w, sdes.ssrc, sdes.cname, sdes.cname_len);
        struct rtcp copy = written(&w);
        assert(rtcp_sdes_next(&copy.body, &again));
        assert(again.ssrc == sdes.ssrc && again.cname_len == sdes.cname_len);
        assert(memcmp(again.cname, sdes.cname, sdes.cname_len) == 0);
    }
}

static void check_bye(const struct rtcp *rtcp)
{
    struct rtcp_bye bye, again;
    uint32_t ssrcs[RTCP_REPORTS_MAX];
    size_t n = 0;
    if (rtcp_bye_parse(rtcp, &bye))
        return;
    for (; reader_left(&bye.ssrcs); n++)
        ssrcs[n] = reader_u32(&bye.ssrcs);
    assert(bye.ssrcs.ok && n <= RTCP_REPORTS_MAX);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_bye_write(&w, ssrcs, n);
    struct rtcp copy = written(&w);
    assert(rtcp_bye_parse(&copy, &again) == 0 && reader_left(&again.ssrcs) == n * 4);
}

static void check_nack(const struct rtcpfb *fb)
{
    uint16_t seq;
    size_t count = 0;
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(fb);
    while (rtcpfb_nack_next(&it, &seq))
        count++;
    assert(count >= reader_left(&fb->fci) / 4 && count <= reader_left(&fb->fci) / 4 * 17);
}

static void check_fir(const struct rtcpfb *fb)
{
    struct rtcpfb_fir fir, again;
    struct rtcpfb copy_fb;
    struct reader r = fb->fci;
    while (rtcpfb_fir_next(&r, &fir)) {
        struct writer w = writer_of(buf, sizeof(buf));
        rtcpfb_fir_write(&w, fb->sender_ssrc, &fir, 1);
        struct rtcp copy = written(&w);
        assert(rtcpfb_parse(&copy, &copy_fb) == 0 && copy_fb.kind == RTCPFB_FIR);
        assert(rtcpfb_fir_next(&copy_fb.fci, &again) && again.ssrc == fir.ssrc && again.seq_nr == fir.seq_nr);
    }
}

static void check_remb(const struct rtcpfb *fb)
{
    uint64_t bps, again;
    uint32_t ssrcs[RTCPFB_REMB_SSRCS_MAX];
    size_t n = 0;
    struct reader r;
    struct rtcpfb copy_fb;
    if (rtcpfb_remb_parse(fb, &bps, &r))
        return;
    for (; reader_left(&r); n++)
        ssrcs[n] = reader_u32(&r);
    assert(r.ok && n <= RTCPFB_REMB_SSRCS_MAX);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_remb_write(&w, fb->sender_ssrc, bps, ssrcs, n);
    struct rtcp copy = written(&w);
    assert(rtcpfb_parse(&copy, &copy_fb) == 0 && copy_fb.kind == RTCPFB_REMB);
    assert(rtcpfb_remb_parse(&copy_fb, &again, &r) == 0 && again == bps && reader_left(&r) == n * 4);
}

static void check_feedback(const struct rtcp *rtcp)
{
    struct rtcpfb fb;
    char line[512];
    if (rtcpfb_parse(rtcp, &fb))
        return;
    assert(rtcpfb_print(&fb, line, sizeof(line)) == strlen(line));
    if (fb.kind == RTCPFB_NACK)
        check_nack(&fb);
    if (fb.kind == RTCPFB_FIR)
        check_fir(&fb);
    if (fb.kind == RTCPFB_REMB)
        check_remb(&fb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rtcp rtcp;
    struct reader r = reader_of(data, len);
    char line[512];
    while (rtcp_next(&r, &rtcp)) {
        assert(rtcp.body.p >= data && rtcp.body.end <= data + len);
        assert(rtcp_print(&rtcp, line, sizeof(line)) == strlen(line));
        check_sr(&rtcp);
        check_rr(&rtcp);
        check_sdes(&rtcp);
        check_bye(&rtcp);
        check_feedback(&rtcp);
    }
    return 0;
}
