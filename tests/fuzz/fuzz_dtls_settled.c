// Does a connected association take what its peer sealed once, unchanged, and nothing else? (sfu/dtls.c)
// SPDX-License-Identifier: MIT
#include "sfu/dtls.h"
#include "tests/fuzz/fuzz.h"

enum { UNSETTLED, SETTLED, ROLES = 2, EDITS = 8, EXTRA = 64, TEXT_MAX = 256, DATAGRAM_MAX = DTLS_MTU + 128 };

// Both states of both roles; they outlive an input, which must leave them as they were.
static struct dtls *ends[2][ROLES];

static void expect(struct dtls *dtls, const struct dtls_cert *cert)
{
    uint8_t digest[DTLS_FINGERPRINT_MAX];
    for (unsigned i = 0; i < DTLS_FINGERPRINT_MAX; i++)
        digest[i] = (uint8_t)strtoul(dtls_cert_fingerprint(cert) + 3 * i, NULL, 16);
    assert(dtls_set_fingerprint(dtls, "sha-256", digest, sizeof(digest)) == 0);
}

static void connect_pair(struct dtls *pair[ROLES], struct dtls_cert *cert)
{
    uint8_t buf[DATAGRAM_MAX];
    size_t len;
    for (int role = 0; role < ROLES; role++) {
        pair[role] = dtls_new(cert, (enum dtls_role)role);
        expect(pair[role], cert);
    }
    dtls_start(pair[DTLS_CLIENT], 0);
    for (int turn = 0; turn < 10; turn++) {
        struct dtls *from = pair[turn & 1 ? DTLS_SERVER : DTLS_CLIENT];
        while ((len = dtls_next_tx(from, buf, sizeof(buf))) > 0)
            dtls_rx(pair[turn & 1 ? DTLS_CLIENT : DTLS_SERVER], buf, len, 0);
    }
    assert(dtls_state(pair[DTLS_SERVER]) == DTLS_CONNECTED && dtls_state(pair[DTLS_CLIENT]) == DTLS_CONNECTED);
}

static void make_ends(void)
{
    static struct dtls_cert *cert;
    if (cert)
        return;
    cert = dtls_cert_new();
    connect_pair(ends[UNSETTLED], cert);
    connect_pair(ends[SETTLED], cert);
    dtls_settle(ends[SETTLED][DTLS_SERVER]);
    dtls_settle(ends[SETTLED][DTLS_CLIENT]);
}

// Gives a datagram; how often the text came out of it. Nothing else may, and nothing is said to it.
static unsigned give(struct dtls *to, const uint8_t *data, size_t len, const uint8_t *text, size_t text_len)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    unsigned count = 0;
    size_t n;
    dtls_rx(to, data, len, 0);
    for (; (n = dtls_read(to, buf, sizeof(buf))) > 0; count++)
        assert(n == text_len && memcmp(buf, text, n) == 0);
    assert(dtls_next_tx(to, buf, sizeof(buf)) == 0);
    assert(dtls_state(to) == DTLS_CONNECTED);
    return count;
}

static void try_foreign(struct fuzz_input *in, struct dtls *to)
{
    size_t len = fuzz_u16(in);
    uint8_t *datagram = fuzz_block(in, &len);
    assert(give(to, datagram, len, NULL, 0) == 0);
    free(datagram);
}

// Octets of the input before or after a datagram.
static size_t add(struct fuzz_input *in, uint8_t *out)
{
    size_t len = fuzz_u8(in) % EXTRA;
    uint8_t *extra = fuzz_block(in, &len);
    memcpy(out, extra, len);
    free(extra);
    return len;
}

// Changes a genuine datagram and gives it, then the genuine one: the text came from one of the two.
static void try_genuine(struct fuzz_input *in, struct dtls *from, struct dtls *to)
{
    uint8_t text[TEXT_MAX], genuine[DATAGRAM_MAX], changed[DATAGRAM_MAX + 2 * EXTRA];
    size_t text_len = 1 + fuzz_u8(in);
    memset(text, (int)text_len, text_len);
    assert(dtls_send(from, text, text_len) == 0);
    size_t len = dtls_next_tx(from, genuine, sizeof(genuine));
    size_t head = add(in, changed);
    memcpy(changed + head, genuine, len);
    for (unsigned edits = fuzz_u8(in) % EDITS; edits > 0; edits--) {
        size_t at = head + fuzz_u16(in) % len;
        changed[at] ^= fuzz_u8(in);
    }
    bool same = memcmp(changed + head, genuine, len) == 0;
    size_t tail = add(in, changed + head + len);
    unsigned count = give(to, changed, head + len + tail, text, text_len);
    assert(count <= same && (count == 1 || !same || head + tail > 0));
    assert(count + give(to, genuine, len, text, text_len) == 1);
    assert(give(to, genuine, len, text, text_len) == 0);
}

// Which pair, which end of it, then what comes.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    uint8_t flags = fuzz_u8(&in);
    make_ends();
    struct dtls **pair = ends[flags & 1], *to = pair[flags >> 1 & 1], *from = pair[!(flags >> 1 & 1)];
    while (in.len) {
        if (fuzz_u8(&in) & 1)
            try_genuine(&in, from, to);
        else
            try_foreign(&in, to);
    }
    return 0;
}
