// Does each packet find its track, and junk none? (sfu/ingress.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/sfu/rig.h"

static struct track *add_track(struct rig *rig, const char *mid, unsigned rids, uint8_t pt)
{
    struct track_config cfg = {.uplink = &rig->ingress.uplink,
                               .mid = mid,
                               .cname = "ann",
                               .video = true,
                               .rid_count = rids,
                               .rids = {"q", "h", "f"},
                               .nack = true,
                               .pli = true};
    struct track *track = track_new(&cfg);
    rig->ingress.uplink.pt[pt] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = CODEC_VP8};
    rig->ingress.uplink.pt[pt + 1] = (struct uplink_pt){.kind = UPLINK_RTX, .apt = pt};
    track_accept_pt(track, pt);
    track_accept_pt(track, pt + 1);
    return track;
}

static void remove_track(struct rig *rig, struct track *track)
{
    ingress_forget(&rig->ingress, track);
    track_free(track);
}

// A packet that names its m-line and stream; NULL: does not.
static void send_named(struct rig *rig, uint32_t ssrc, uint8_t pt, uint16_t seq, const char *mid,
                       enum ext_house house, const char *rid)
{
    struct rig_packet p = {.seq = seq, .ssrc = ssrc, .pt = pt, .payload = "\220\200\001aaaa", .len = 7};
    if (mid)
        ext_list_add(&p.ext, EXT_MID, mid, (uint8_t)strlen(mid));
    if (rid)
        ext_list_add(&p.ext, (uint8_t)house, rid, (uint8_t)strlen(rid));
    rig_send(rig, &p);
}

static uint64_t received(const struct track *track)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < track->layer_count; i++)
        n += track->layer[i].stats.rx.packets;
    return n;
}

static void by_mid_and_rid(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    struct track *one = add_track(&rig, "0", 0, 110), *many = add_track(&rig, "1", 3, 110);
    send_named(&rig, 1, 110, 1, "0", 0, NULL);
    send_named(&rig, 2, 110, 1, "1", EXT_RID, "h");
    send_named(&rig, 3, 111, 1, "1", EXT_RRID, "h");
    send_named(&rig, 4, 111, 1, "1", EXT_RID, "f"); // RTX that says rid: as some browsers do
    send_named(&rig, 5, 110, 1, "1", EXT_RID, "q");
    assert_int_equal(one->layer[0].ssrc, 1);
    assert_int_equal(many->layer[1].ssrc, 2);
    assert_int_equal(many->layer[1].rtx_ssrc, 3);
    assert_int_equal(many->layer[2].rtx_ssrc, 4);
    assert_int_equal(many->layer[0].ssrc, 5);
    assert_false(many->layer[2].bound);
    send_named(&rig, 2, 110, 2, NULL, 0, NULL); // known by now
    assert_int_equal(many->layer[1].stats.rx.packets, 3);
    assert_int_equal(rig.ingress.count, 5);
    assert_int_equal(stats_dropped(&rig.publisher), 0);
    remove_track(&rig, many);
    assert_int_equal(rig.ingress.count, 1);
    assert_non_null(ingress_find(&rig.ingress, 1));
    assert_null(ingress_find(&rig.ingress, 2));
    remove_track(&rig, one);
    rig_close(&rig);
}

static void by_payload_type_when_there_is_no_doubt(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    struct track *one = add_track(&rig, "0", 0, 110), *two = add_track(&rig, "1", 0, 112);
    send_named(&rig, 1, 110, 1, NULL, 0, NULL);
    send_named(&rig, 2, 113, 1, NULL, 0, NULL);
    assert_int_equal(one->layer[0].ssrc, 1);
    assert_int_equal(two->layer[0].rtx_ssrc, 2);

    track_accept_pt(two, 110); // now two m-lines have it
    send_named(&rig, 3, 110, 1, NULL, 0, NULL);
    assert_int_equal(rig.publisher.drops[DROP_UNKNOWN_SSRC], 1);
    remove_track(&rig, one);
    remove_track(&rig, two);
    rig_close(&rig);
}

static void a_straggler_does_not_push_out_its_successor(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    struct track *track = add_track(&rig, "0", 0, 110);
    send_named(&rig, 1, 110, 1, NULL, 0, NULL);
    send_named(&rig, 2, 110, 1, "0", 0, NULL); // reload
    send_named(&rig, 1, 110, 2, NULL, 0, NULL);
    assert_int_equal(track->layer[0].ssrc, 2);
    assert_null(ingress_find(&rig.ingress, 1));
    rig.now_us += 2000000; // the successor has gone quiet
    send_named(&rig, 3, 110, 1, NULL, 0, NULL);
    assert_int_equal(track->layer[0].ssrc, 3);
    assert_int_equal(rig.ingress.count, 1);
    remove_track(&rig, track);
    rig_close(&rig);
}

static void junk_finds_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    struct track *one = add_track(&rig, "0", 0, 110), *many = add_track(&rig, "1", 3, 112);
    send_named(&rig, 1, 50, 1, "0", 0, NULL);       // no such payload type
    send_named(&rig, 2, 112, 1, "0", 0, NULL);      // not on this m-line
    send_named(&rig, 3, 110, 1, "7", 0, NULL);      // no such m-line
    send_named(&rig, 4, 112, 1, "1", EXT_RID, "x"); // no such rid
    send_named(&rig, 5, 112, 1, "1", 0, NULL);      // simulcast without rid
    send_named(&rig, 6, 110, 1, "\001", 0, NULL);   // not a mid, but only one m-line has this payload type
    assert_int_equal(rig.publisher.drops[DROP_UNKNOWN_SSRC], 5);
    assert_int_equal(received(one), 1);
    assert_int_equal(received(many), 0);
    send_named(&rig, 6, 112, 2, NULL, 0, NULL); // its payload type changes to another m-line's
    send_named(&rig, 6, 111, 3, NULL, 0, NULL); // media that turns into RTX
    assert_int_equal(rig.publisher.drops[DROP_UNKNOWN_PT], 2);
    assert_int_equal(received(one), 1);
    remove_track(&rig, one);
    remove_track(&rig, many);
    rig_close(&rig);
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    struct track *track[24];
    char mid[4];
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    for (unsigned i = 0; i < 24; i++) {
        snprintf(mid, sizeof(mid), "%u", i);
        track[i] = add_track(&rig, mid, 3, 110);
    }
    int err = 0;
    for (unsigned i = 0; i < 72; i++)
        if (ingress_declare(&rig.ingress, track[i / 3], i % 3, false, (i + 1) << 25))
            err++;
    assert_int_equal(rig.ingress.count, INGRESS_SSRCS_MAX);
    assert_int_equal(err, 72 - INGRESS_SSRCS_MAX);
    for (unsigned i = 0; i < INGRESS_SSRCS_MAX; i++) {
        const struct ingress_ssrc *found = ingress_find(&rig.ingress, (i + 1) << 25);
        assert_ptr_equal(found->track, track[i / 3]);
        assert_int_equal(found->layer, i % 3);
    }
    send_named(&rig, 77, 110, 1, "23", EXT_RID, "h");
    assert_int_equal(rig.publisher.drops[DROP_TABLE_FULL], 1);
    send_named(&rig, 78, 110, 1, "0", EXT_RID, "h"); // takes a place, not one more
    assert_int_equal(track[0]->layer[1].ssrc, 78);
    assert_int_equal(rig.ingress.count, INGRESS_SSRCS_MAX);
    for (unsigned i = 0; i < 24; i++)
        remove_track(&rig, track[i]);
    assert_int_equal(rig.ingress.count, 0);
    rig_close(&rig);
}

static void arrivals_are_noted_even_of_strangers(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    for (uint16_t i = 0; i < 60; i++) {
        uint8_t seq[2];
        struct rig_packet p = {.seq = i, .ssrc = i < 30 ? RIG_SSRC : 99, .pt = i < 30 ? 0 : 120};
        ext_list_add(&p.ext, EXT_TWCC, seq, ext_twcc_write(seq, i));
        rig_send(&rig, &p);
        rig_tick(&rig, 10000);
    }
    rig_tick(&rig, 200000);
    assert_true(rig_count(&rig.upstream, 0, RTCP_RTPFB, RTPFB_TWCC) >= 5);
    assert_int_equal(rig.ingress.uplink.twcc->base, rig.ingress.uplink.twcc->end); // all told
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_mid_and_rid),
        cmocka_unit_test(by_payload_type_when_there_is_no_doubt),
        cmocka_unit_test(a_straggler_does_not_push_out_its_successor),
        cmocka_unit_test(junk_finds_nothing),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(arrivals_are_noted_even_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
