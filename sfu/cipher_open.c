// How is a packet opened, and which incoming SSRCs are remembered?
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <glib.h>

#include "rtp/rtp.h"
#include "sfu/cipher_engine.h"
#include "sfu/cipher_rtcp.h"
#include "sfu/cipher_window.h"

enum {
    BUCKETS = 2 * CIPHER_OPEN_STREAMS, // a power of two
    SOURCES_FIRST = 4,                 // places at first; who only listens needs one
    NOBODY = 0xffff,
};

// One incoming SSRC, known since a packet of it verified.
struct source {
    uint32_t ssrc;
    uint16_t next;                // in its bucket
    uint64_t used;                // the opener's count when it last verified
    struct cipher_stream *stream; // NULL until an RTP packet of it verified
    struct cipher_window rtcp;
};

struct cipher_opener {
    struct cipher_session *session;
    struct cipher_rtcp *rtcp;
    uint32_t salt; // the peer chooses its SSRCs: it must not choose their buckets
    uint64_t count;
    unsigned source_count, source_room;
    struct source *source; // grows up to CIPHER_OPEN_STREAMS
    uint16_t bucket[BUCKETS];
};

struct cipher_opener *cipher_opener_new(const struct cipher_keys *keys)
{
    struct cipher_opener *opener = g_new0(struct cipher_opener, 1);
    opener->session = cipher_session_new(keys);
    opener->rtcp = cipher_rtcp_new(keys, opener->session->engine);
    opener->salt = g_random_int() | 1;
    for (unsigned i = 0; i < BUCKETS; i++)
        opener->bucket[i] = NOBODY;
    return opener;
}

static void stream_free(struct cipher_opener *opener, struct cipher_stream *stream)
{
    if (stream)
        opener->session->engine->stream_free(stream);
}

void cipher_opener_free(struct cipher_opener *opener)
{
    if (!opener)
        return;
    for (unsigned i = 0; i < opener->source_count; i++)
        stream_free(opener, opener->source[i].stream);
    opener->session->engine->session_free(opener->session);
    cipher_rtcp_free(opener->rtcp);
    g_free(opener->source);
    g_free(opener);
}

// ---- the table ---------------------------------------------------------------------------------------------

static uint16_t *bucket_of(struct cipher_opener *opener, uint32_t ssrc)
{
    return &opener->bucket[(ssrc * opener->salt) >> 16 & (BUCKETS - 1)];
}

static struct source *find(struct cipher_opener *opener, uint32_t ssrc)
{
    uint16_t i = *bucket_of(opener, ssrc);
    while (i != NOBODY && opener->source[i].ssrc != ssrc)
        i = opener->source[i].next;
    return i == NOBODY ? NULL : &opener->source[i];
}

static void unlink_source(struct cipher_opener *opener, uint16_t at)
{
    uint16_t *link = bucket_of(opener, opener->source[at].ssrc);
    while (*link != at)
        link = &opener->source[*link].next;
    *link = opener->source[at].next;
}

static void grow(struct cipher_opener *opener)
{
    opener->source_room = opener->source_room ? 2 * opener->source_room : SOURCES_FIRST;
    opener->source = g_renew(struct source, opener->source, opener->source_room);
}

static uint16_t free_place(struct cipher_opener *opener)
{
    if (opener->source_count == opener->source_room && opener->source_room < CIPHER_OPEN_STREAMS)
        grow(opener);
    if (opener->source_count < CIPHER_OPEN_STREAMS)
        return (uint16_t)opener->source_count++;
    uint16_t oldest = 0;
    for (uint16_t i = 1; i < CIPHER_OPEN_STREAMS; i++) {
        if (opener->source[i].used < opener->source[oldest].used)
            oldest = i;
    }
    unlink_source(opener, oldest);
    stream_free(opener, opener->source[oldest].stream);
    return oldest;
}

// Only for an SSRC of which a packet has just verified.
static struct source *add(struct cipher_opener *opener, uint32_t ssrc)
{
    uint16_t at = free_place(opener);
    uint16_t *bucket = bucket_of(opener, ssrc);
    opener->source[at] = (struct source){.ssrc = ssrc, .next = *bucket};
    *bucket = at;
    return &opener->source[at];
}

// ---- opening -----------------------------------------------------------------------------------------------

int cipher_open(struct cipher_opener *opener, uint8_t *buf, size_t len)
{
    const struct cipher_engine *engine = opener->session->engine;
    struct rtp rtp;
    if (rtp_parse_header(&rtp, buf, len) != RTP_OK ||
        len < rtp_header_len(&rtp) + cipher_overhead(opener->session->profile))
        return -EBADMSG;
    size_t header_len = rtp_header_len(&rtp);
    struct source *source = find(opener, rtp.ssrc);
    struct cipher_stream *stream = NULL;
    int rc;
    if (source && source->stream)
        rc = engine->open(source->stream, buf, len, header_len);
    else
        rc = engine->open_first(opener->session, rtp.ssrc, buf, len, header_len, &stream);
    if (rc < 0)
        return rc;
    if (!source)
        source = add(opener, rtp.ssrc);
    if (stream)
        source->stream = stream;
    source->used = ++opener->count;
    return rc;
}

int cipher_open_rtcp(struct cipher_opener *opener, uint8_t *buf, size_t len)
{
    uint32_t ssrc, index;
    if (cipher_rtcp_peek(opener->rtcp, buf, len, &ssrc, &index) < 0)
        return -EBADMSG;
    struct source *source = find(opener, ssrc);
    if (source && !cipher_window_is_fresh(&source->rtcp, index))
        return -EALREADY;
    int rc = cipher_rtcp_open(opener->rtcp, buf, len);
    if (rc < 0)
        return rc;
    if (!source)
        source = add(opener, ssrc);
    cipher_window_add(&source->rtcp, index);
    source->used = ++opener->count;
    return rc;
}
