// How does a test walk the packets of a recorded rtpdump file?
// SPDX-License-Identifier: MIT
//
// Format of rtptools: a line "#!rtpplay1.0 address/port", 16 octets (start time, source), then per packet: length of
// the record (16 bits, these 8 octets included), length of the packet (16 bits, 0 for RTCP in the original; Chromium
// writes 0 always), milliseconds since the start (32 bits), the packet.
//
//     struct rtpdump d;
//     rtpdump_open(&d, "chromium156-plain-rtp/vp8.a2b.rtpdump");
//     while (rtpdump_next(&d))
//         ... d.buf, d.len, d.at_ms; whether it is RTP or RTCP: demux()
//     rtpdump_close(&d);
#pragma once

#include "rtp/bytes.h"

#include <stdio.h>
#include <stdlib.h>

struct rtpdump {
    uint8_t *buf; // the current packet, in a heap block of exactly its size, so that ASan sees the first octet beyond
    size_t len;
    uint32_t at_ms;
    unsigned count; // packets so far

    uint8_t *file;
    struct reader r;
};

static inline void rtpdump_die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", name, what);
    abort();
}

// A whole file below tests/vectors, in a block the caller frees. No such file: the test ends.
static inline uint8_t *vector_read(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof(path), VECTORS "/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        rtpdump_die("cannot be opened", path);
    long size = ftell(f);
    rewind(f);
    uint8_t *buf = malloc(size > 0 ? (size_t)size : 1);
    if (size < 0 || !buf || fread(buf, 1, (size_t)size, f) != (size_t)size)
        rtpdump_die("cannot be read", path);
    fclose(f);
    *len = (size_t)size;
    return buf;
}

static inline void rtpdump_open(struct rtpdump *d, const char *name)
{
    size_t len;
    *d = (struct rtpdump){.file = vector_read(name, &len)};
    d->r = reader_of(d->file, len);
    if (len < 12 || memcmp(d->file, "#!rtpplay1.0", 12) != 0)
        rtpdump_die("is not an rtpdump", name);
    while (reader_left(&d->r) && reader_u8(&d->r) != '\n')
        ;
    reader_skip(&d->r, 16);
}

static inline bool rtpdump_next(struct rtpdump *d)
{
    free(d->buf);
    d->buf = NULL;
    if (!reader_left(&d->r))
        return false;
    size_t record = reader_u16(&d->r);
    reader_skip(&d->r, 2);
    d->at_ms = reader_u32(&d->r);
    d->len = record < 8 ? 0 : record - 8;
    const uint8_t *p = reader_bytes(&d->r, d->len);
    if (record < 8 || !p)
        rtpdump_die("is cut short", "rtpdump");
    d->buf = malloc(d->len ? d->len : 1);
    if (!d->buf)
        abort();
    memcpy(d->buf, p, d->len);
    d->count++;
    return true;
}

static inline void rtpdump_close(struct rtpdump *d)
{
    free(d->buf);
    free(d->file);
    *d = (struct rtpdump){0};
}
