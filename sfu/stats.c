// What was taken, sent and dropped, and why?
// SPDX-License-Identifier: MIT
#include "sfu/stats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const drop_names[DROP_COUNT] = {
    [DROP_NOT_MEDIA] = "not_media",
    [DROP_WRONG_PATH] = "wrong_path",
    [DROP_NOT_CONNECTED] = "not_connected",
    [DROP_BAD_TAG] = "bad_tag",
    [DROP_REPLAYED] = "replayed",
    [DROP_BAD_RTP] = "bad_rtp",
    [DROP_BAD_RTCP] = "bad_rtcp",
    [DROP_POOL_EXHAUSTED] = "pool_exhausted",
    [DROP_QUEUE_FULL] = "queue_full",
    [DROP_SEND_FAILED] = "send_failed",
    [DROP_BAD_MESSAGE] = "bad_message",
    [DROP_UNKNOWN_SSRC] = "unknown_ssrc",
    [DROP_UNKNOWN_PT] = "unknown_pt",
    [DROP_TABLE_FULL] = "table_full",
    [DROP_BAD_PAYLOAD] = "bad_payload",
    [DROP_DUPLICATE] = "duplicate",
    [DROP_TOO_LATE] = "too_late",
    [DROP_PADDING] = "padding",
    [DROP_MUTED] = "muted",
    [DROP_NOT_READY] = "not_ready",
    [DROP_NO_CODEC] = "no_codec",
    [DROP_OTHER_LAYER] = "other_layer",
    [DROP_NO_KEYFRAME] = "no_keyframe",
    [DROP_UNPLACED] = "unplaced",
    [DROP_TOO_LONG] = "too_long",
    [DROP_RESEND_TWICE] = "resend_twice",
    [DROP_RESEND_RATE] = "resend_rate",
    [DROP_RESEND_GONE] = "resend_gone",
};

const char *drop_name(enum drop drop)
{
    return (unsigned)drop < DROP_COUNT ? drop_names[drop] : "unknown";
}

uint64_t stats_dropped(const struct stats *stats)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < DROP_COUNT; i++)
        sum += stats->drops[i];
    return sum;
}

struct line line_of(char *buf, size_t cap)
{
    buf[0] = '\0';
    return (struct line){.buf = buf, .cap = cap, .ok = true};
}

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = line->cap - line->len;
    int n = vsnprintf(line->buf + line->len, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        line->buf[line->len] = '\0';
        line->ok = false;
        return;
    }
    line->len += (size_t)n;
}

void line_number(struct line *line, const char *key, int64_t value)
{
    append(line, "%s%s=%" PRId64, line->len ? " " : "", key, value);
}

void line_text(struct line *line, const char *key, const char *value)
{
    append(line, "%s%s=%s", line->len ? " " : "", key, value);
}

void line_stats(struct line *line, const struct stats *stats)
{
    line_number(line, "rx_packets", (int64_t)stats->rx.packets);
    line_number(line, "rx_bytes", (int64_t)stats->rx.bytes);
    line_number(line, "tx_packets", (int64_t)stats->tx.packets);
    line_number(line, "tx_bytes", (int64_t)stats->tx.bytes);
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if (stats->drops[i])
            append(line, "%sdrop_%s=%" PRIu64, line->len ? " " : "", drop_names[i], stats->drops[i]);
}
