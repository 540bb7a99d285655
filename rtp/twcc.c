// When did each packet of a transport arrive, told to its sender?
// SPDX-License-Identifier: MIT
#include "rtp/twcc.h"

#include "rtp/seq.h"
#include "rtp/text.h"

#include <errno.h>

// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.1: packet status symbols.
enum {
    LOST = 0,
    SMALL = 1, // received, delta of 1 octet, 0..63.75 ms
    LARGE = 2, // received, delta of 2 octets, -8192..8191.75 ms
    RESERVED = 3,
};

// Sections 3.1.3, 3.1.4: packet chunks.
enum {
    VECTOR_BIT = 0x8000,  // status vector; otherwise a run
    TWO_BIT_BIT = 0x4000, // of a vector: two bits a symbol; otherwise one
    RUN_MASK = 0x1fff,    // of a run: its length
    RUN_SYMBOL_SHIFT = 13,
    ONE_BIT_COUNT = 14, // symbols in a vector
    TWO_BIT_COUNT = 7,
};

enum {
    HEAD_LEN = 16, // two SSRCs to the feedback packet count
    TICKS_PER_REF = TWCC_REF_US / TWCC_TICK_US,
    CHUNKS_MAX = TWCC_RING / TWO_BIT_COUNT + 1,
};

static size_t delta_len(unsigned symbol)
{
    return symbol; // 0, 1 or 2 octets: the symbols were numbered so
}

// ---- receiver -----------------------------------------------------------------------------------------------

static void forget_all(struct twcc_recv *recv)
{
    for (unsigned i = 0; i < TWCC_RING; i++)
        recv->ticks[i] = TWCC_LOST;
}

static int64_t *slot(struct twcc_recv *recv, uint64_t n)
{
    return &recv->ticks[n % TWCC_RING];
}

void twcc_recv_init(struct twcc_recv *recv)
{
    *recv = (struct twcc_recv){0};
    forget_all(recv);
}

void twcc_recv_rx(struct twcc_recv *recv, uint16_t seq, int64_t now_us)
{
    struct seq_unwrap unwrap = {recv->end ? recv->end - 1 : 0};
    uint64_t n = seq_unwrap_peek(&unwrap, seq);
    if (n + TWCC_RING / 2 < recv->end)
        return;
    if (n >= recv->end + TWCC_RING) {
        forget_all(recv);
        recv->base = recv->end = n;
    }
    if (recv->base == recv->end)
        recv->since_us = now_us;
    for (; recv->end <= n; recv->end++)
        *slot(recv, recv->end) = TWCC_LOST;
    if (*slot(recv, n) != TWCC_LOST)
        return;
    *slot(recv, n) = now_us / TWCC_TICK_US;
    if (n < recv->base)
        recv->base = n;
    if (recv->end - recv->base > TWCC_RING)
        recv->base = recv->end - TWCC_RING;
}

bool twcc_recv_due(const struct twcc_recv *recv, int64_t now_us)
{
    uint64_t pending = recv->end - recv->base;
    int64_t waited_us = now_us - recv->since_us;
    if (pending == 0)
        return false;
    return waited_us >= TWCC_INTERVAL_US || pending >= TWCC_FULL ||
           (pending >= TWCC_MANY && waited_us >= TWCC_INTERVAL_MIN_US);
}

// What one feedback packet will say.
struct plan {
    int64_t ref;      // reference time
    size_t count;     // statuses
    size_t delta_len; // octets of all deltas
    uint8_t symbols[TWCC_RING];
    uint16_t chunks[CHUNKS_MAX];
    size_t chunk_count;
};

static unsigned symbol_of(int64_t delta_ticks)
{
    if (delta_ticks >= 0 && delta_ticks <= UINT8_MAX)
        return SMALL;
    return delta_ticks >= INT16_MIN && delta_ticks <= INT16_MAX ? LARGE : RESERVED;
}

// Takes statuses while they fit: every chunk but the last holds at least TWO_BIT_COUNT of them.
static void plan_statuses(struct plan *plan, struct twcc_recv *recv, size_t room)
{
    uint64_t first = recv->base;
    while (*slot(recv, first) == TWCC_LOST)
        first++;
    plan->ref = *slot(recv, first) / TICKS_PER_REF;
    int64_t prev = plan->ref * TICKS_PER_REF;
    for (uint64_t n = recv->base; n < recv->end; n++) {
        int64_t ticks = *slot(recv, n);
        unsigned symbol = ticks == TWCC_LOST ? LOST : symbol_of(ticks - prev);
        size_t chunks_len = 2 * (plan->count / TWO_BIT_COUNT + 1);
        if (symbol == RESERVED || chunks_len + plan->delta_len + delta_len(symbol) > room)
            return;
        if (symbol != LOST)
            prev = ticks;
        plan->symbols[plan->count++] = (uint8_t)symbol;
        plan->delta_len += delta_len(symbol);
    }
}

static size_t run_length(const uint8_t *symbols, size_t n)
{
    size_t run = 1;
    while (run < n && symbols[run] == symbols[0])
        run++;
    return run;
}

static bool has_large(const uint8_t *symbols, size_t n)
{
    return memchr(symbols, LARGE, n) != NULL;
}

// Makes the chunk that begins with the first of n symbols; returns how many it holds.
static size_t chunk_make(uint16_t *chunk, const uint8_t *symbols, size_t n)
{
    bool two_bit = has_large(symbols, n < ONE_BIT_COUNT ? n : ONE_BIT_COUNT);
    size_t capacity = two_bit ? TWO_BIT_COUNT : ONE_BIT_COUNT;
    size_t run = run_length(symbols, n);
    if (run >= capacity || run == n) {
        *chunk = (uint16_t)(symbols[0] << RUN_SYMBOL_SHIFT | run);
        return run;
    }
    if (n > capacity)
        n = capacity;
    unsigned bits = two_bit ? 2 : 1;
    unsigned v = two_bit ? VECTOR_BIT | TWO_BIT_BIT : VECTOR_BIT;
    for (size_t i = 0; i < n; i++)
        v |= (unsigned)symbols[i] << (bits * (capacity - 1 - i));
    *chunk = (uint16_t)v;
    return n;
}

static void plan_chunks(struct plan *plan)
{
    for (size_t i = 0; i < plan->count;)
        i += chunk_make(&plan->chunks[plan->chunk_count++], plan->symbols + i, plan->count - i);
}

static void write_deltas(struct writer *w, struct twcc_recv *recv, const struct plan *plan)
{
    int64_t prev = plan->ref * TICKS_PER_REF;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->symbols[i] == LOST)
            continue;
        int64_t ticks = *slot(recv, recv->base + i);
        if (plan->symbols[i] == SMALL)
            writer_u8(w, (uint8_t)(ticks - prev));
        else
            writer_u16(w, (uint16_t)(ticks - prev));
        prev = ticks;
    }
}

size_t twcc_recv_write(struct twcc_recv *recv, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t *buf, size_t cap)
{
    if (recv->base == recv->end || cap < TWCC_WRITE_MIN)
        return 0;
    struct plan plan = {0};
    plan_statuses(&plan, recv, (cap & ~(size_t)3) - RTCP_HEADER_LEN - HEAD_LEN);
    plan_chunks(&plan);
    size_t body_len = (HEAD_LEN + 2 * plan.chunk_count + plan.delta_len + 3) & ~(size_t)3;
    struct writer packet = writer_of(buf, cap);
    uint8_t *body = rtcp_room(&packet, RTCP_RTPFB, RTPFB_TWCC, body_len);
    if (!body)
        return 0;
    struct writer w = writer_of(body, body_len);
    writer_u32(&w, sender_ssrc);
    writer_u32(&w, media_ssrc);
    writer_u16(&w, (uint16_t)recv->base);
    writer_u16(&w, (uint16_t)plan.count);
    writer_u24(&w, (uint32_t)plan.ref);
    writer_u8(&w, recv->fb_count++);
    for (size_t i = 0; i < plan.chunk_count; i++)
        writer_u16(&w, plan.chunks[i]);
    write_deltas(&w, recv, &plan);
    writer_fill(&w, 0, writer_left(&w));
    recv->base += plan.count;
    return writer_len(&packet);
}

// ---- sender -------------------------------------------------------------------------------------------------

static unsigned chunk_capacity(uint16_t chunk)
{
    if (!(chunk & VECTOR_BIT))
        return chunk & RUN_MASK;
    return chunk & TWO_BIT_BIT ? TWO_BIT_COUNT : ONE_BIT_COUNT;
}

static unsigned chunk_symbol(uint16_t chunk, unsigned i)
{
    if (!(chunk & VECTOR_BIT))
        return chunk >> RUN_SYMBOL_SHIFT & 3;
    if (chunk & TWO_BIT_BIT)
        return chunk >> 2 * (TWO_BIT_COUNT - 1 - i) & 3;
    return chunk >> (ONE_BIT_COUNT - 1 - i) & 1;
}

// Octets of the deltas of a chunk's first n statuses, or -1 when one of them is reserved.
static int chunk_delta_len(uint16_t chunk, unsigned n)
{
    size_t len = 0;
    if (!(chunk & VECTOR_BIT)) {
        unsigned symbol = chunk_symbol(chunk, 0);
        return symbol == RESERVED ? -1 : (int)(n * delta_len(symbol));
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned symbol = chunk_symbol(chunk, i);
        if (symbol == RESERVED)
            return -1;
        len += delta_len(symbol);
    }
    return (int)len;
}

int twcc_parse(const struct rtcpfb *fb, struct twcc *out)
{
    struct reader r = fb->fci;
    out->base_seq = reader_u16(&r);
    out->count = reader_u16(&r);
    out->ref_time = reader_u24(&r);
    out->fb_count = reader_u8(&r);
    if (fb->kind != RTCPFB_TWCC || out->count > TWCC_COUNT_MAX)
        return -EBADMSG;
    struct reader chunks = r;
    size_t deltas_len = 0;
    for (unsigned left = out->count; left && r.ok;) {
        uint16_t chunk = reader_u16(&r);
        unsigned n = chunk_capacity(chunk) < left ? chunk_capacity(chunk) : left;
        int len = chunk_delta_len(chunk, n);
        if (len < 0)
            return -EBADMSG;
        deltas_len += (size_t)len;
        left -= n;
    }
    out->chunks = reader_sub(&chunks, (size_t)(r.p - chunks.p));
    out->deltas = reader_sub(&r, deltas_len);
    return r.ok ? 0 : -EBADMSG;
}

size_t twcc_print(const struct twcc *twcc, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    text_add(&t, "TWCC %u ref %u base %u count %u:", twcc->fb_count, twcc->ref_time, twcc->base_seq, twcc->count);
    struct twcc_iter it = twcc_iter(twcc);
    struct twcc_status s;
    while (twcc_next(&it, &s)) {
        if (s.received)
            text_add(&t, " %+d", s.delta_us);
        else
            text_add(&t, " x");
    }
    return t.len;
}

struct twcc_iter twcc_iter(const struct twcc *fb)
{
    return (struct twcc_iter){.chunks = fb->chunks, .deltas = fb->deltas, .seq = fb->base_seq, .left = fb->count};
}

bool twcc_next(struct twcc_iter *it, struct twcc_status *out)
{
    if (!it->left)
        return false;
    while (it->chunk_pos == it->chunk_len) { // a run may be empty
        if (!reader_left(&it->chunks))
            return false;
        it->chunk = reader_u16(&it->chunks);
        it->chunk_len = (uint16_t)chunk_capacity(it->chunk);
        it->chunk_pos = 0;
    }
    unsigned symbol = chunk_symbol(it->chunk, it->chunk_pos++);
    *out = (struct twcc_status){.seq = it->seq++, .received = symbol != LOST};
    if (symbol == SMALL)
        out->delta_us = reader_u8(&it->deltas) * TWCC_TICK_US;
    else if (symbol == LARGE)
        out->delta_us = (int16_t)reader_u16(&it->deltas) * TWCC_TICK_US;
    it->offset_us += out->delta_us;
    out->offset_us = it->offset_us;
    it->left--;
    return true;
}

int64_t twcc_clock_rx(struct twcc_clock *clock, uint32_t ref_time)
{
    uint32_t ahead = (ref_time - (uint32_t)clock->ref) & 0xffffff;
    int64_t ref = clock->ref + ahead - (ahead & 0x800000 ? 0x1000000 : 0);
    if (!clock->started)
        ref = ref_time;
    if (!clock->started || ref > clock->ref)
        clock->ref = ref;
    clock->started = true;
    return ref * TWCC_REF_US;
}
