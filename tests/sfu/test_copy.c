// Is a copy the same packet in the receiver's numbers? (sfu/copy.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/rtx.h"
#include "sfu/copy.h"
#include "tests/sfu/rig.h"

static const struct ext *find(const struct rig_out *out, uint8_t id, struct ext *ext)
{
    return ext_find(&out->rtp, out->buf, id, ext) ? ext : NULL;
}

static void send_opus(struct rig *rig, uint16_t seq, struct ext_list ext)
{
    struct rig_packet p = {.seq = seq, .ts = seq * 960u, .payload = "\374sound", .len = 6, .ext = ext};
    rig_send(rig, &p);
}

// ---- extensions ------------------------------------------------------------------------------------------

static void extensions_get_the_receivers_ids(void **state)
{
    (void)state;
    struct rig rig;
    struct ext_list list = {0};
    struct ext ext;
    rig_open(&rig, CODEC_OPUS);
    const uint8_t *id = rig.sink.ext_id;
    ext_list_add(&list, EXT_MID, "m", 1);
    ext_list_add(&list, EXT_TWCC, "\001\002", 2);
    ext_list_add(&list, EXT_ABS_SEND_TIME, "abc", 3);
    ext_list_add(&list, EXT_AUDIO_LEVEL, "\205", 1);
    ext_list_add(&list, EXT_PLAYOUT_DELAY, "xyz", 3);
    send_opus(&rig, 1, list);
    const struct rig_out *out = rig_last(&rig, 0);
    assert_int_equal(out->rtp.ext_profile, EXT_ONE_BYTE);
    assert_memory_equal(find(out, id[EXT_AUDIO_LEVEL], &ext)->data, "\205", 1);
    assert_memory_equal(find(out, id[EXT_PLAYOUT_DELAY], &ext)->data, "xyz", 3);
    assert_null(find(out, id[EXT_MID], &ext));           // the publisher's
    assert_null(find(out, id[EXT_ABS_SEND_TIME], &ext)); // one clock for the estimator is enough
    assert_ptr_equal(find(out, id[EXT_TWCC], &ext)->data, out->buf + out->twcc_offset);
    assert_int_equal(ext.len, 2);
    assert_memory_equal(out->buf + out->rtp.payload_off, "\374sound", 6);
    assert_false(out->video);
    rig_close(&rig);
}

static void long_ids_take_the_two_byte_form(void **state)
{
    (void)state;
    struct rig rig;
    struct ext_list list = {0};
    struct ext ext;
    rig_open(&rig, CODEC_OPUS);
    rig.sink.ext_id[EXT_AUDIO_LEVEL] = 20;
    ext_list_add(&list, EXT_AUDIO_LEVEL, "\205", 1);
    send_opus(&rig, 1, list);
    const struct rig_out *out = rig_last(&rig, 0);
    assert_int_equal(out->rtp.ext_profile, EXT_TWO_BYTE);
    assert_non_null(find(out, 20, &ext));
    assert_ptr_equal(find(out, rig.sink.ext_id[EXT_TWCC], &ext)->data, out->buf + out->twcc_offset);
    rig_close(&rig);
}

static void without_twcc_the_send_time(void **state)
{
    (void)state;
    struct rig rig;
    struct ext_list none = {0};
    struct ext ext;
    uint32_t time;
    rig_open(&rig, CODEC_OPUS);
    rig.sink.ext_id[EXT_TWCC] = 0;
    send_opus(&rig, 1, none);
    assert_int_equal(rig_last(&rig, 0)->twcc_offset, 0);
    assert_int_equal(
        ext_abs_send_time_parse(find(rig_last(&rig, 0), rig.sink.ext_id[EXT_ABS_SEND_TIME], &ext), &time), 0);
    assert_int_equal(time, rig.now_us * (1 << 18) / 1000000);

    rig.sink.ext_id[EXT_ABS_SEND_TIME] = 0;
    send_opus(&rig, 2, none);
    assert_int_equal(rig_last(&rig, 0)->rtp.ext_off, 0); // nothing to say: no block
    assert_int_equal(rig_last(&rig, 0)->len, RTP_HEADER_LEN + 6);
    rig_close(&rig);
}

// ---- payloads --------------------------------------------------------------------------------------------

static void red_speaks_of_the_receivers_opus(void **state)
{
    (void)state;
    static const uint8_t red[] = {0x80 | 111, 0x0f, 0x00, 2, 111, 0xfc, 'a', 0xfc, 'b', 'c'};
    struct rig rig;
    struct rig_packet p = {.seq = 1, .payload = red, .len = sizeof(red)};
    rig_open(&rig, CODEC_RED);
    rig.sink.pt[CODEC_OPUS] = 77;
    rig_send(&rig, &p);
    const struct rig_out *out = rig_last(&rig, 0);
    assert_int_equal(out->rtp.pt, RIG_OUT_PT);
    assert_int_equal(out->rtp.payload_len, sizeof(red));
    assert_int_equal(out->buf[out->rtp.payload_off], 0x80 | 77);
    assert_int_equal(out->buf[out->rtp.payload_off + 4], 77);
    assert_memory_equal(out->buf + out->rtp.payload_off + 5, red + 5, 5);

    rig.sink.pt[CODEC_RED] = 0;
    p.seq = 2;
    rig_send(&rig, &p);
    out = rig_last(&rig, 0);
    assert_int_equal(out->rtp.pt, 77);
    assert_int_equal(out->rtp.payload_len, 3);
    assert_memory_equal(out->buf + out->rtp.payload_off, red + 7, 3);
    rig_close(&rig);
}

static void picture_ids_count_on(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 500, 0, true);
    rig_vp8(&rig, 2, 501, 0, false);
    ingress_declare(&rig.ingress, rig.track, 0, false, 0x5555); // the publisher reloads
    uint8_t payload[] = {0x90, 0xe0, 0x80, 9, 3, 0, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00};
    struct rig_packet p = {.seq = 900, .ssrc = 0x5555, .payload = payload, .len = sizeof(payload), .marker = true};
    rig_send(&rig, &p);
    const uint8_t *out = rig_last(&rig, 0)->buf + rig_last(&rig, 0)->rtp.payload_off;
    assert_int_equal(rd16(out + 2), 0x8000 | 502);
    assert_int_equal(out[4], 8);
    assert_memory_equal(out + 5, payload + 5, sizeof(payload) - 5);
    assert_int_equal(rig_last(&rig, 0)->rtp.seq, rig_last(&rig, 1)->rtp.seq + 1);
    assert_int_equal(rig_last(&rig, 0)->rtp.ssrc, RIG_OUT_SSRC);
    rig_close(&rig);
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    static const uint8_t sound[PACKET_ROOM];
    struct rig rig;
    rig_open(&rig, CODEC_OPUS);
    struct rig_packet p = {.seq = 1, .payload = sound, .len = COPY_MAX - RTP_HEADER_LEN - 8};
    rig_send(&rig, &p);
    assert_int_equal(rig.count, 1);
    p.seq++;
    p.len++;
    rig_send(&rig, &p);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.sub->stats.drops[DROP_TOO_LONG], 1);
    rig_close(&rig);
}

static void an_unknown_codec_is_not_sent(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig.sink.pt[CODEC_VP8] = 0;
    rig_vp8(&rig, 1, 1, 0, true);
    assert_int_equal(rig.count, 0);
    assert_int_equal(rig.sub->stats.drops[DROP_NO_CODEC], 1);
    rig_close(&rig);
}

// ---- again -----------------------------------------------------------------------------------------------

static void rtx_carries_the_same_copy(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    struct rig_out first = *rig_last(&rig, 0);
    rig.now_us += 100000;
    rig_nack(&rig, &first.rtp.seq, 1);
    struct rig_out again = *rig_last(&rig, 0);
    assert_int_equal(rig.count, 2);
    assert_int_equal(again.rtp.ssrc, RIG_OUT_RTX_SSRC);
    assert_int_equal(again.rtp.pt, RIG_OUT_RTX_PT);
    assert_int_equal(again.stream, (uint16_t)RIG_OUT_RTX_SSRC);
    assert_int_equal(again.rtp.ts, first.rtp.ts);
    assert_int_equal(again.rtp.marker, first.rtp.marker);
    assert_int_equal(rtx_unwrap(&again.rtp, again.buf, RIG_OUT_PT, RIG_OUT_SSRC), 0);
    assert_int_equal(again.rtp.seq, first.rtp.seq);
    assert_int_equal(again.rtp.payload_len, first.rtp.payload_len);
    assert_memory_equal(again.buf + again.rtp.payload_off, first.buf + first.rtp.payload_off, first.rtp.payload_len);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_get_the_receivers_ids),
        cmocka_unit_test(long_ids_take_the_two_byte_form),
        cmocka_unit_test(without_twcc_the_send_time),
        cmocka_unit_test(red_speaks_of_the_receivers_opus),
        cmocka_unit_test(picture_ids_count_on),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(an_unknown_codec_is_not_sent),
        cmocka_unit_test(rtx_carries_the_same_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
