// Does transport-wide feedback add up, and does what we write tell what we saw? (rtp/twcc.c)
// SPDX-License-Identifier: MIT
#include "rtp/twcc.h"
#include "tests/fuzz/fuzz.h"

static void check_statuses(const struct twcc *twcc)
{
    struct twcc_status status;
    struct twcc_iter it = twcc_iter(twcc);
    int64_t offset_us = 0;
    uint32_t count = 0;
    while (twcc_next(&it, &status)) {
        assert(status.seq == (uint16_t)(twcc->base_seq + count));
        if (status.received) {
            offset_us += status.delta_us;
            assert(status.offset_us == offset_us);
        }
        count++;
    }
    assert(count == twcc->count && count <= TWCC_COUNT_MAX);
}

static int read_feedback(const uint8_t *data, size_t len, struct twcc *twcc)
{
    char line[256];
    struct rtcp rtcp;
    struct rtcpfb fb;
    struct reader r = reader_of(data, len);
    if (!rtcp_next(&r, &rtcp) || rtcpfb_parse(&rtcp, &fb) || twcc_parse(&fb, twcc))
        return -1;
    assert(twcc_print(twcc, line, sizeof(line)) == strlen(line));
    check_statuses(twcc);
    return 0;
}

// The input as the information of a feedback message, whose length need not be right.
static void read_fci(struct fuzz_input *in)
{
    static uint8_t packet[65536];
    size_t len = in->len < sizeof(packet) - 12 - 3 ? in->len : sizeof(packet) - 12 - 3;
    struct writer w = writer_of(packet, sizeof(packet));
    uint8_t *body = rtcp_room(&w, RTCP_RTPFB, RTPFB_TWCC, 8 + ((len + 3) & ~(size_t)3));
    struct twcc twcc;
    struct twcc_clock clock = {0};
    assert(body);
    memset(body, 0, 8 + ((len + 3) & ~(size_t)3));
    memcpy(body + 8, in->p, len);
    if (read_feedback(packet, writer_len(&w), &twcc) == 0)
        twcc_clock_rx(&clock, twcc.ref_time);
}

// The input as arrivals: how far ahead or back, how much later.
static void write_feedback(struct fuzz_input *in)
{
    static struct twcc_recv recv;
    static bool arrived[65536];
    int64_t now_us = 1000000;
    uint16_t seq = 0;
    size_t cap = TWCC_WRITE_MIN + fuzz_u8(in) * 4;
    twcc_recv_init(&recv);
    memset(arrived, 0, sizeof(arrived));
    while (in->len) {
        seq = (uint16_t)(seq + (int8_t)fuzz_u8(in));
        now_us += fuzz_u8(in) * 997;
        arrived[seq] = true;
        twcc_recv_rx(&recv, seq, now_us);
        if (!twcc_recv_due(&recv, now_us))
            continue;
        uint8_t *buf = malloc(cap);
        struct twcc twcc;
        struct twcc_status status;
        for (size_t len; (len = twcc_recv_write(&recv, 1, 2, buf, cap)) != 0;) {
            assert(len <= cap && read_feedback(buf, len, &twcc) == 0);
            struct twcc_iter it = twcc_iter(&twcc);
            while (twcc_next(&it, &status))
                assert(!status.received || arrived[status.seq]);
        }
        free(buf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    if (fuzz_u8(&in) & 1)
        write_feedback(&in);
    else
        read_fci(&in);
    return 0;
}
