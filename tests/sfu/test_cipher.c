// Does every engine seal what every engine opens, byte for byte, and open nothing else?
// SPDX-License-Identifier: MIT
#include "sfu/cipher.h"

#include <errno.h>
#include <setjmp.h>
#include <srtp2/srtp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "sfu/cipher_window.h"
#include "tests/rtp/dice.h"
#include "tests/rtp/octets.h"

enum { PACKET_MAX = 1500, SSRC = 0x01020304 };

static const enum cipher_profile profiles[] = {CIPHER_CM_SHA1_80, CIPHER_GCM_128, CIPHER_GCM_256};
static const char *const engines[] = {"libsrtp", "ipsec-mb"};

static bool has_engine(const char *name)
{
    return cipher_engine_select(name) == 0;
}

// Calls `try` for each profile and each pair of engines there is: (seals, opens).
typedef void try_h(enum cipher_profile profile, const char *seals, const char *opens);

static void each(try_h *try)
{
    for (unsigned p = 0; p < 3; p++) {
        for (unsigned s = 0; s < 2; s++) {
            for (unsigned o = 0; o < 2; o++) {
                if (has_engine(engines[s]) && has_engine(engines[o]))
                    try(profiles[p], engines[s], engines[o]);
            }
        }
    }
}

static struct cipher_keys keys_of(enum cipher_profile profile)
{
    struct cipher_keys keys = {.profile = profile};
    struct dice dice = {(uint64_t)profile};
    for (size_t i = 0; i < cipher_key_len(profile); i++)
        keys.key[i] = (uint8_t)dice_next(&dice);
    for (size_t i = 0; i < cipher_salt_len(profile); i++)
        keys.salt[i] = (uint8_t)dice_next(&dice);
    return keys;
}

struct ends {
    struct cipher_sealer *sealer;
    struct cipher_stream *stream;
    struct cipher_opener *opener;
};

static struct ends open_ends(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e;
    struct cipher_keys keys = keys_of(profile);
    assert_int_equal(cipher_engine_select(seals), 0);
    assert_string_equal(cipher_engine_name(), seals);
    e.sealer = cipher_sealer_new(&keys);
    e.stream = cipher_stream_new(e.sealer, SSRC);
    assert_int_equal(cipher_engine_select(opens), 0);
    e.opener = cipher_opener_new(&keys);
    return e;
}

static void close_ends(struct ends *e)
{
    cipher_stream_free(e->stream);
    cipher_sealer_free(e->sealer);
    cipher_opener_free(e->opener);
}

// A heap block with no more room than promised, so that ASan sees a byte too many.
struct packet {
    uint8_t *buf;
    size_t len;
};

static struct packet packet_copy(const uint8_t *data, size_t len, size_t room)
{
    struct packet p = {malloc(len + room), len};
    assert_non_null(p.buf);
    memcpy(p.buf, data, len);
    return p;
}

static struct packet make_rtp(struct dice *dice, uint32_t ssrc, uint16_t seq, unsigned csrcs, int ext_words,
                              size_t payload)
{
    uint8_t buf[PACKET_MAX];
    struct writer w = writer_of(buf, sizeof(buf));
    writer_u8(&w, (uint8_t)(0x80 | (ext_words >= 0 ? 0x10 : 0) | csrcs));
    writer_u8(&w, 96);
    writer_u16(&w, seq);
    writer_u32(&w, (uint32_t)dice_next(dice));
    writer_u32(&w, ssrc);
    for (unsigned i = 0; i < csrcs; i++)
        writer_u32(&w, (uint32_t)dice_next(dice));
    if (ext_words >= 0) {
        writer_u16(&w, 0xbede);
        writer_u16(&w, (uint16_t)ext_words);
        writer_fill(&w, (uint8_t)dice_next(dice), 4 * (size_t)ext_words);
    }
    for (size_t i = 0; i < payload; i++)
        writer_u8(&w, (uint8_t)dice_next(dice));
    assert_true(w.ok);
    return packet_copy(buf, writer_len(&w), CIPHER_TRAILER_MAX);
}

static struct packet make_any(struct dice *dice, uint32_t ssrc, uint16_t seq)
{
    return make_rtp(dice, ssrc, seq, dice_below(dice, 16), (int)dice_below(dice, 17) - 1, dice_below(dice, 1200));
}

static size_t seal_one(struct cipher_stream *stream, struct packet *p)
{
    struct cipher_job job = {stream, p->buf, p->len};
    cipher_seal(&job, 1);
    p->len = job.len;
    return job.len;
}

static int open_copy(struct cipher_opener *opener, const struct packet *p)
{
    struct packet copy = packet_copy(p->buf, p->len, 0);
    int rc = cipher_open(opener, copy.buf, copy.len);
    free(copy.buf);
    return rc;
}

static void expect_opens(struct cipher_opener *opener, const struct packet *sealed, const struct packet *plain)
{
    struct packet copy = packet_copy(sealed->buf, sealed->len, 0);
    assert_int_equal(cipher_open(opener, copy.buf, copy.len), plain->len);
    assert_memory_equal(copy.buf, plain->buf, plain->len);
    free(copy.buf);
}

// ---- engines -----------------------------------------------------------------------------------------------

static void engines_have_names(void **state)
{
    (void)state;
    assert_int_equal(cipher_engine_select("openssl"), -EINVAL);
    assert_int_equal(cipher_engine_select(""), -EINVAL);
    assert_int_equal(cipher_engine_select("libsrtp"), 0);
    assert_string_equal(cipher_engine_name(), "libsrtp");
    int rc = cipher_engine_select("ipsec-mb");
    assert_true(rc == 0 || rc == -ENOTSUP);
    assert_int_equal(cipher_engine_select("auto"), 0);
    assert_string_equal(cipher_engine_name(), rc == 0 ? "ipsec-mb" : "libsrtp");
}

static void profiles_have_sizes(void **state)
{
    (void)state;
    assert_int_equal(cipher_key_len(CIPHER_CM_SHA1_80) + cipher_salt_len(CIPHER_CM_SHA1_80), 30);
    assert_int_equal(cipher_key_len(CIPHER_GCM_128) + cipher_salt_len(CIPHER_GCM_128), 28);
    assert_int_equal(cipher_key_len(CIPHER_GCM_256) + cipher_salt_len(CIPHER_GCM_256), 44);
    assert_int_equal(cipher_overhead(CIPHER_CM_SHA1_80), 10);
    assert_int_equal(cipher_overhead(CIPHER_GCM_256), 16);
    assert_int_equal(cipher_overhead(CIPHER_NONE) + cipher_key_len(CIPHER_NONE) + cipher_salt_len(CIPHER_NONE), 0);
}

// ---- vectors -----------------------------------------------------------------------------------------------

// From libsrtp's test/srtp_driver.c (BSD-3-Clause, commit 9073dfe9eea2): master key and salt, packets.
static const struct vector {
    enum cipher_profile profile;
    const char *key, *salt, *rtp, *srtp, *rtcp, *srtcp;
} vectors[] = {
    {CIPHER_CM_SHA1_80, "e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6",
     "800f1234decafbadcafebabeabababababababababababababababab",
     "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
     "81c8000bcafebabeabababababababababababababababab",
     "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"},
    {CIPHER_GCM_128, "000102030405060708090a0b0c0d0e0f", "a0a1a2a3a4a5a6a7a8a9aaab",
     "800f1234decafbadcafebabeabababababababababababababababab",
     "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
     "81c8000bcafebabeabababababababababababababababab",
     "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"},
};

static struct packet packet_hex(const char *hex, size_t room)
{
    struct octets o = octets_of(hex);
    struct packet p = packet_copy(o.data, o.len, room);
    free(o.data);
    return p;
}

static void try_vector(const struct vector *v)
{
    struct cipher_keys keys = {.profile = v->profile};
    struct octets key = octets_of(v->key), salt = octets_of(v->salt);
    memcpy(keys.key, key.data, key.len);
    memcpy(keys.salt, salt.data, salt.len);
    struct packet rtp = packet_hex(v->rtp, CIPHER_TRAILER_MAX), srtp = packet_hex(v->srtp, 0);
    struct packet rtcp = packet_hex(v->rtcp, CIPHER_TRAILER_MAX), srtcp = packet_hex(v->srtcp, 0);
    size_t plain = rtcp.len;
    struct cipher_sealer *sealer = cipher_sealer_new(&keys);
    struct cipher_opener *opener = cipher_opener_new(&keys);
    struct cipher_stream *stream = cipher_stream_new(sealer, 0xcafebabe);
    assert_int_equal(seal_one(stream, &rtp), srtp.len);
    assert_memory_equal(rtp.buf, srtp.buf, srtp.len);
    assert_int_equal(cipher_seal_rtcp(sealer, rtcp.buf, rtcp.len, rtcp.len + CIPHER_TRAILER_MAX), srtcp.len);
    assert_memory_equal(rtcp.buf, srtcp.buf, srtcp.len);
    assert_true(cipher_open(opener, srtp.buf, srtp.len) > 0);
    assert_int_equal(cipher_open_rtcp(opener, srtcp.buf, srtcp.len), plain);
    cipher_stream_free(stream);
    cipher_sealer_free(sealer);
    cipher_opener_free(opener);
    free(key.data);
    free(salt.data);
    free(rtp.buf);
    free(srtp.buf);
    free(rtcp.buf);
    free(srtcp.buf);
}

static void known_packets_come_out(void **state)
{
    (void)state;
    for (unsigned e = 0; e < 2; e++) {
        if (!has_engine(engines[e]))
            continue;
        for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
            try_vector(&vectors[i]);
    }
}

// ---- sealing and opening -----------------------------------------------------------------------------------

static void try_every_shape(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {3};
    uint16_t seq = 100;
    for (unsigned csrcs = 0; csrcs < 16; csrcs++) {
        for (int words = -1; words < 16; words++) {
            size_t payload = dice_below(&dice, 4) == 0 ? 0 : dice_below(&dice, 300);
            struct packet plain = make_rtp(&dice, SSRC, seq++, csrcs, words, payload);
            struct packet sealed = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
            assert_int_equal(seal_one(e.stream, &sealed), plain.len + cipher_overhead(profile));
            expect_opens(e.opener, &sealed, &plain);
            assert_int_equal(open_copy(e.opener, &sealed), -EALREADY);
            free(plain.buf);
            free(sealed.buf);
        }
    }
    close_ends(&e);
}

static void every_header_and_length(void **state)
{
    (void)state;
    each(try_every_shape);
}

enum { RUN = 400 };

// Packets sealed in order, opened in an order that strays up to `stray` places, some twice, some never.
static void try_run(enum cipher_profile profile, const char *seals, const char *opens, uint16_t first, unsigned stray)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {first};
    struct packet plain[RUN], sealed[RUN];
    struct cipher_job jobs[RUN];
    unsigned order[RUN];
    for (unsigned i = 0; i < RUN; i++) {
        plain[i] = make_any(&dice, SSRC, (uint16_t)(first + i));
        sealed[i] = packet_copy(plain[i].buf, plain[i].len, CIPHER_TRAILER_MAX);
        jobs[i] = (struct cipher_job){e.stream, sealed[i].buf, sealed[i].len};
        order[i] = i;
    }
    for (unsigned at = 0, n; at < RUN; at += n) { // batches of every size
        n = 1 + dice_below(&dice, 150);
        n = n > RUN - at ? RUN - at : n;
        cipher_seal(&jobs[at], n);
    }
    for (unsigned i = 1; stray && i + stray < RUN; i++) { // the first stays: it sets where the stream begins
        unsigned other = i + dice_below(&dice, stray), swap = order[i];
        order[i] = order[other];
        order[other] = swap;
    }
    for (unsigned i = 0; i < RUN; i++) {
        struct packet *s = &sealed[order[i]];
        s->len = jobs[order[i]].len;
        assert_int_equal(s->len, plain[order[i]].len + cipher_overhead(profile));
        if (i && dice_chance(&dice, 10))
            continue;
        expect_opens(e.opener, s, &plain[order[i]]);
        if (dice_chance(&dice, 20))
            assert_int_equal(open_copy(e.opener, s), -EALREADY);
    }
    for (unsigned i = 0; i < RUN; i++) {
        free(plain[i].buf);
        free(sealed[i].buf);
    }
    close_ends(&e);
}

static void try_runs(enum cipher_profile profile, const char *seals, const char *opens)
{
    try_run(profile, seals, opens, 0, 0);
    try_run(profile, seals, opens, 1, 8);
    try_run(profile, seals, opens, 65535, 0);
    try_run(profile, seals, opens, 65535 - 20, 12);
    try_run(profile, seals, opens, 65535 - 200, 100);
    try_run(profile, seals, opens, 32768 - 200, 100);
}

static void order_may_stray_around_the_wrap(void **state)
{
    (void)state;
    each(try_runs);
}

static void try_long(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {5};
    for (unsigned i = 0; i < 3 * 65536; i += 1 + dice_below(&dice, 400)) {
        struct packet plain = make_rtp(&dice, SSRC, (uint16_t)i, 0, -1, 20);
        struct packet sealed = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
        assert_true(seal_one(e.stream, &sealed) > 0);
        expect_opens(e.opener, &sealed, &plain);
        free(plain.buf);
        free(sealed.buf);
    }
    close_ends(&e);
}

static void rollover_counts_on(void **state)
{
    (void)state;
    each(try_long);
}

static void engines_write_the_same_bytes(void **state)
{
    (void)state;
    if (!has_engine("ipsec-mb"))
        skip();
    for (unsigned p = 0; p < 3; p++) {
        struct ends a = open_ends(profiles[p], "libsrtp", "libsrtp");
        struct ends b = open_ends(profiles[p], "ipsec-mb", "ipsec-mb");
        struct dice dice = {11};
        for (unsigned i = 0; i < 2000; i++) {
            struct packet one = make_any(&dice, SSRC, (uint16_t)(64000 + i));
            struct packet two = packet_copy(one.buf, one.len, CIPHER_TRAILER_MAX);
            assert_int_equal(seal_one(a.stream, &one), seal_one(b.stream, &two));
            assert_memory_equal(one.buf, two.buf, one.len);
            free(one.buf);
            free(two.buf);
        }
        close_ends(&a);
        close_ends(&b);
    }
}

static void try_refuses(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {6};
    for (unsigned known = 0; known < 2; known++) { // an SSRC without a stream, then one with
        struct packet plain = make_rtp(&dice, SSRC, (uint16_t)(500 + known), 2, 3, 40);
        struct packet sealed = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
        assert_true(seal_one(e.stream, &sealed) > 0);
        for (size_t i = 0; i < sealed.len; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                sealed.buf[i] ^= (uint8_t)(1 << bit);
                int rc = open_copy(e.opener, &sealed);
                // Turned into a sequence number that came before, it is a replay first.
                assert_true(rc == -EBADMSG || (rc == -EALREADY && known && (i == 2 || i == 3)));
                sealed.buf[i] ^= (uint8_t)(1 << bit);
            }
        }
        for (size_t len = 0; len < sealed.len; len++) {
            struct packet cut = {sealed.buf, len};
            assert_int_equal(open_copy(e.opener, &cut), -EBADMSG);
        }
        expect_opens(e.opener, &sealed, &plain);
        free(plain.buf);
        free(sealed.buf);
    }
    close_ends(&e);
}

static void damage_is_refused(void **state)
{
    (void)state;
    each(try_refuses);
}

static void try_old(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {8};
    struct packet first = make_rtp(&dice, SSRC, 1000, 0, -1, 10), late = make_rtp(&dice, SSRC, 1001, 0, -1, 10);
    struct packet next = make_rtp(&dice, SSRC, 1001 + CIPHER_WINDOW, 0, -1, 10);
    assert_true(seal_one(e.stream, &first) > 0);
    assert_true(seal_one(e.stream, &late) > 0);
    assert_true(seal_one(e.stream, &next) > 0);
    assert_true(open_copy(e.opener, &first) > 0);
    assert_true(open_copy(e.opener, &next) > 0);
    assert_int_equal(open_copy(e.opener, &first), -EALREADY);
    assert_int_equal(open_copy(e.opener, &late), -EALREADY); // never seen, but too old to tell
    free(first.buf);
    free(late.buf);
    free(next.buf);
    close_ends(&e);
}

static void what_is_too_old_is_refused(void **state)
{
    (void)state;
    each(try_old);
}

// ---- sealing: what is not sealed ---------------------------------------------------------------------------

static void try_again(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {9};
    struct packet plain = make_rtp(&dice, SSRC, 7, 0, 1, 10);
    struct packet one = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
    struct packet two = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
    assert_true(seal_one(e.stream, &one) > 0);
    if (profile == CIPHER_CM_SHA1_80) {
        assert_int_equal(seal_one(e.stream, &two), one.len);
        assert_memory_equal(one.buf, two.buf, one.len);
    } else {
        assert_int_equal(seal_one(e.stream, &two), 0);
    }
    struct packet far = make_rtp(&dice, SSRC, 7 + CIPHER_WINDOW, 0, -1, 10);
    struct packet old = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
    assert_true(seal_one(e.stream, &far) > 0);
    assert_int_equal(seal_one(e.stream, &old), 0);
    free(plain.buf);
    free(one.buf);
    free(two.buf);
    free(far.buf);
    free(old.buf);
    close_ends(&e);
}

static void a_number_is_sealed_once_but_with_aes_cm(void **state)
{
    (void)state;
    each(try_again);
}

static void try_foreign(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {10};
    struct packet p[] = {
        make_rtp(&dice, SSRC, 1, 0, -1, 10), make_rtp(&dice, SSRC + 1, 2, 0, -1, 10), // another's
        make_rtp(&dice, SSRC, 3, 0, -1, 10), make_rtp(&dice, SSRC, 4, 15, 15, 0),     // cut short below
        make_rtp(&dice, SSRC, 5, 0, -1, 10),
    };
    struct cipher_job jobs[5];
    p[3].len = 50;
    for (unsigned i = 0; i < 5; i++)
        jobs[i] = (struct cipher_job){e.stream, p[i].buf, p[i].len};
    cipher_seal(jobs, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(jobs[i].len, i == 1 || i == 3 ? 0 : 22 + cipher_overhead(profile));
        free(p[i].buf);
    }
    cipher_seal(jobs, 0);
    close_ends(&e);
}

static void only_packets_of_the_stream_are_sealed(void **state)
{
    (void)state;
    each(try_foreign);
}

static void one_batch_may_mix_everything(void **state)
{
    (void)state;
    enum { KINDS = 6, COUNT = 150 };
    struct ends e[KINDS];
    struct dice dice = {12};
    struct packet plain[COUNT], sealed[COUNT];
    struct cipher_job jobs[COUNT];
    unsigned kinds = 0;
    for (unsigned p = 0; p < 3; p++) {
        for (unsigned s = 0; s < 2; s++) {
            if (has_engine(engines[s]))
                e[kinds++] = open_ends(profiles[p], engines[s], "libsrtp");
        }
    }
    for (unsigned i = 0; i < COUNT; i++) {
        plain[i] = make_any(&dice, SSRC, (uint16_t)i);
        sealed[i] = packet_copy(plain[i].buf, plain[i].len, CIPHER_TRAILER_MAX);
        jobs[i] = (struct cipher_job){e[i % kinds].stream, sealed[i].buf, sealed[i].len};
    }
    cipher_seal(jobs, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        sealed[i].len = jobs[i].len;
        expect_opens(e[i % kinds].opener, &sealed[i], &plain[i]);
        free(plain[i].buf);
        free(sealed[i].buf);
    }
    for (unsigned i = 0; i < kinds; i++)
        close_ends(&e[i]);
}

// ---- incoming SSRCs ----------------------------------------------------------------------------------------

static struct packet seal_as(struct cipher_sealer *sealer, uint32_t ssrc, uint16_t seq)
{
    struct dice dice = {ssrc};
    struct packet p = make_rtp(&dice, ssrc, seq, 0, -1, 30);
    struct cipher_stream *stream = cipher_stream_new(sealer, ssrc);
    assert_true(seal_one(stream, &p) > 0);
    cipher_stream_free(stream);
    return p;
}

static void try_many(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct packet p[CIPHER_OPEN_STREAMS + 1];
    struct dice dice = {13};
    for (unsigned i = 0; i <= CIPHER_OPEN_STREAMS; i++)
        p[i] = seal_as(e.sealer, 1000 + i, 1);
    for (unsigned i = 0; i < CIPHER_OPEN_STREAMS; i++)
        assert_true(open_copy(e.opener, &p[i]) > 0);
    for (unsigned i = 0; i < 2000; i++) { // junk with SSRCs of its own takes nobody's place
        struct packet junk = make_rtp(&dice, (uint32_t)dice_next(&dice), 1, 0, -1, 50);
        assert_int_equal(open_copy(e.opener, &junk), -EBADMSG);
        free(junk.buf);
    }
    for (unsigned i = 0; i < CIPHER_OPEN_STREAMS; i++)
        assert_int_equal(open_copy(e.opener, &p[i]), -EALREADY);
    // One more that verifies takes the place of the one that was silent longest: SSRC 1000, unless it speaks.
    struct packet again = seal_as(e.sealer, 1000, 2);
    assert_true(open_copy(e.opener, &again) > 0);
    assert_true(open_copy(e.opener, &p[CIPHER_OPEN_STREAMS]) > 0);
    assert_int_equal(open_copy(e.opener, &p[CIPHER_OPEN_STREAMS]), -EALREADY);
    assert_int_equal(open_copy(e.opener, &again), -EALREADY);
    assert_true(open_copy(e.opener, &p[1]) > 0); // forgotten, and so new
    for (unsigned i = 3; i <= CIPHER_OPEN_STREAMS; i++)
        assert_int_equal(open_copy(e.opener, &p[i]), -EALREADY);
    for (unsigned i = 0; i <= CIPHER_OPEN_STREAMS; i++)
        free(p[i].buf);
    free(again.buf);
    close_ends(&e);
}

static void streams_are_bounded_and_junk_evicts_nobody(void **state)
{
    (void)state;
    each(try_many);
}

// ---- SRTCP -------------------------------------------------------------------------------------------------

static struct packet make_rtcp(struct dice *dice, uint32_t ssrc, size_t words)
{
    uint8_t buf[PACKET_MAX];
    struct writer w = writer_of(buf, sizeof(buf));
    writer_u32(&w, 0x81c90000 | (uint32_t)(words + 1));
    writer_u32(&w, ssrc);
    for (size_t i = 0; i < words; i++)
        writer_u32(&w, (uint32_t)dice_next(dice));
    return packet_copy(buf, writer_len(&w), CIPHER_TRAILER_MAX);
}

static void seal_rtcp(struct ends *e, struct packet *p)
{
    size_t cap = p->len + CIPHER_TRAILER_MAX;
    p->len = cipher_seal_rtcp(e->sealer, p->buf, p->len, cap);
    assert_true(p->len > 0);
}

static int open_rtcp_copy(struct cipher_opener *opener, const struct packet *p)
{
    struct packet copy = packet_copy(p->buf, p->len, 0);
    int rc = cipher_open_rtcp(opener, copy.buf, copy.len);
    free(copy.buf);
    return rc;
}

static void try_rtcp(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {14};
    for (unsigned i = 0; i < 300; i++) {
        struct packet plain = make_rtcp(&dice, 1 + dice_below(&dice, 5), dice_below(&dice, 100));
        struct packet sealed = packet_copy(plain.buf, plain.len, CIPHER_TRAILER_MAX);
        seal_rtcp(&e, &sealed);
        struct packet copy = packet_copy(sealed.buf, sealed.len, 0);
        assert_int_equal(cipher_open_rtcp(e.opener, copy.buf, copy.len), plain.len);
        assert_memory_equal(copy.buf, plain.buf, plain.len);
        assert_int_equal(open_rtcp_copy(e.opener, &sealed), -EALREADY);
        free(plain.buf);
        free(sealed.buf);
        free(copy.buf);
    }
    close_ends(&e);
}

static void rtcp_goes_through_once(void **state)
{
    (void)state;
    each(try_rtcp);
}

static void try_rtcp_damage(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    struct dice dice = {15};
    struct packet p = make_rtcp(&dice, 77, 9);
    size_t plain = p.len;
    assert_int_equal(cipher_seal_rtcp(e.sealer, p.buf, p.len, p.len + 4 + cipher_overhead(profile) - 1), 0);
    assert_int_equal(cipher_seal_rtcp(e.sealer, p.buf, 7, 100), 0);
    seal_rtcp(&e, &p);
    for (size_t i = 0; i < p.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            p.buf[i] ^= (uint8_t)(1 << bit);
            assert_int_equal(open_rtcp_copy(e.opener, &p), -EBADMSG);
            p.buf[i] ^= (uint8_t)(1 << bit);
        }
    }
    for (size_t len = 0; len < p.len; len++) {
        struct packet cut = {p.buf, len};
        assert_int_equal(open_rtcp_copy(e.opener, &cut), -EBADMSG);
    }
    assert_int_equal(open_rtcp_copy(e.opener, &p), plain);
    free(p.buf);
    close_ends(&e);
}

static void rtcp_damage_is_refused(void **state)
{
    (void)state;
    each(try_rtcp_damage);
}

// libsrtp itself on the other side.
static srtp_t make_srtp(enum cipher_profile profile, srtp_ssrc_type_t type)
{
    struct cipher_keys keys = keys_of(profile);
    uint8_t key[CIPHER_KEY_MAX + CIPHER_SALT_MAX];
    srtp_policy_t policy = {.ssrc = {type, 0}, .key = key, .window_size = 128};
    memcpy(key, keys.key, cipher_key_len(profile));
    memcpy(key + cipher_key_len(profile), keys.salt, cipher_salt_len(profile));
    srtp_profile_t number = profile == CIPHER_CM_SHA1_80 ? srtp_profile_aes128_cm_sha1_80
                            : profile == CIPHER_GCM_128  ? srtp_profile_aead_aes_128_gcm
                                                         : srtp_profile_aead_aes_256_gcm;
    srtp_t session;
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, number);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, number);
    assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
    return session;
}

static void try_rtcp_libsrtp(enum cipher_profile profile, const char *seals, const char *opens)
{
    struct ends e = open_ends(profile, seals, opens);
    srtp_t in = make_srtp(profile, ssrc_any_inbound), out = make_srtp(profile, ssrc_any_outbound);
    struct dice dice = {16};
    for (unsigned i = 0; i < 200; i++) {
        struct packet plain = make_rtcp(&dice, 1 + dice_below(&dice, 3), 1 + dice_below(&dice, 60));
        struct packet ours = packet_copy(plain.buf, plain.len, SRTP_MAX_TRAILER_LEN + 4);
        struct packet theirs = packet_copy(plain.buf, plain.len, SRTP_MAX_TRAILER_LEN + 4);
        int len = (int)(ours.len = cipher_seal_rtcp(e.sealer, ours.buf, ours.len, ours.len + CIPHER_TRAILER_MAX));
        assert_int_equal(srtp_unprotect_rtcp(in, ours.buf, &len), srtp_err_status_ok);
        assert_int_equal(len, plain.len);
        assert_memory_equal(ours.buf, plain.buf, plain.len);
        len = (int)plain.len;
        assert_int_equal(srtp_protect_rtcp(out, theirs.buf, &len), srtp_err_status_ok);
        assert_int_equal(cipher_open_rtcp(e.opener, theirs.buf, (size_t)len), plain.len);
        assert_memory_equal(theirs.buf, plain.buf, plain.len);
        free(plain.buf);
        free(ours.buf);
        free(theirs.buf);
    }
    srtp_dealloc(in);
    srtp_dealloc(out);
    close_ends(&e);
}

static void rtcp_is_as_libsrtp_has_it(void **state)
{
    (void)state;
    each(try_rtcp_libsrtp);
}

static void nothing_may_be_freed(void **state)
{
    (void)state;
    cipher_sealer_free(NULL);
    cipher_opener_free(NULL);
    cipher_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_have_names),
        cmocka_unit_test(profiles_have_sizes),
        cmocka_unit_test(known_packets_come_out),
        cmocka_unit_test(every_header_and_length),
        cmocka_unit_test(order_may_stray_around_the_wrap),
        cmocka_unit_test(rollover_counts_on),
        cmocka_unit_test(engines_write_the_same_bytes),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(what_is_too_old_is_refused),
        cmocka_unit_test(a_number_is_sealed_once_but_with_aes_cm),
        cmocka_unit_test(only_packets_of_the_stream_are_sealed),
        cmocka_unit_test(one_batch_may_mix_everything),
        cmocka_unit_test(streams_are_bounded_and_junk_evicts_nobody),
        cmocka_unit_test(rtcp_goes_through_once),
        cmocka_unit_test(rtcp_damage_is_refused),
        cmocka_unit_test(rtcp_is_as_libsrtp_has_it),
        cmocka_unit_test(nothing_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
