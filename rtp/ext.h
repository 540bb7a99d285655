// What do the elements of an RTP header extension say, and how is such a block made?
// SPDX-License-Identifier: MIT
//
// RFC 8285: one-byte form (0xBEDE, ids 1..14, 1..16 octets) and two-byte form (0x100x, ids 1..255, 0..255 octets).
// Elements are known inside the house by their house id (enum ext_house); each transport negotiates its own numbers
// and has one `struct ext_map` between the two.
#pragma once

#include "rtp/bytes.h"
#include "rtp/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXT_ONE_BYTE = 0xBEDE, // RFC 8285 section 4.2
    EXT_TWO_BYTE = 0x1000, // RFC 8285 section 4.3; the low 4 bits are "appbits"
    EXT_LIST_MAX = 16,     // elements in one block we write
    EXT_TEXT_MAX = 32,     // characters of a mid, rid or rrid in a packet, without the NUL
};

// House ids. All of them fit the one-byte form.
enum ext_house {
    EXT_NONE,
    EXT_MID,                   // RFC 9143 (text)
    EXT_RID,                   // RFC 8852 (text)
    EXT_RRID,                  // RFC 8852, repaired stream (text)
    EXT_TWCC,                  // draft-holmer-rmcat-transport-wide-cc-extensions-01 (u16)
    EXT_ABS_SEND_TIME,         // webrtc.org: 24 bits, 6.18 s
    EXT_AUDIO_LEVEL,           // RFC 6464
    EXT_DEPENDENCY_DESCRIPTOR, // AV1 RTP specification, appendix A
    EXT_VIDEO_ORIENTATION,     // 3GPP TS 26.114 section 7.4.5
    EXT_PLAYOUT_DELAY,         // webrtc.org: two 12-bit numbers of 10 ms
    EXT_VLA,                   // webrtc.org: video layers allocation
    EXT_COLOR_SPACE,           // webrtc.org: passed through
    EXT_HOUSE_COUNT,
};

// The URI that names an extension in SDP; NULL for EXT_NONE and numbers out of range.
const char *ext_uri(enum ext_house house);

// The house id of a URI of `len` characters (case-sensitive), or EXT_NONE.
enum ext_house ext_by_uri(const char *uri, size_t len);

// ---- negotiated id <-> house id, one per transport; zeroed is empty ------------------------------------------

struct ext_map {
    uint8_t to_house[256];               // negotiated id -> enum ext_house; 0: not negotiated
    uint8_t from_house[EXT_HOUSE_COUNT]; // enum ext_house -> negotiated id; 0: not negotiated
};

// Binds id to house. 0; -EINVAL for an id or house that cannot be (0, 15 is reserved); -EEXIST when either is already
// bound to another.
int ext_map_add(struct ext_map *map, uint8_t id, enum ext_house house);

// ---- reading ------------------------------------------------------------------------------------------------

// One element. The data is borrowed from the packet; NULL: absent.
struct ext {
    const uint8_t *data;
    uint8_t id; // as in the packet
    uint8_t len;
};

struct ext_iter {
    struct reader r;
    bool two_byte;
};

// Starts over the elements of a packet that rtp_parse() accepted. No extension, or a profile that is not of RFC 8285:
// there are none.
struct ext_iter ext_iter(const struct rtp *rtp, const uint8_t *buf);

// The next element; false at the end. An element that leaves the block ends the walk.
bool ext_next(struct ext_iter *it, struct ext *out);

// The first element with a negotiated id.
bool ext_find(const struct rtp *rtp, const uint8_t *buf, uint8_t id, struct ext *out);

// Where each extension the house knows lies in one packet: found once at ingress, used per subscriber.
struct ext_view {
    uint32_t has; // bit (1 << enum ext_house)
    uint16_t off[EXT_HOUSE_COUNT];
    uint8_t len[EXT_HOUSE_COUNT]; // off and len are valid only where `has` says so
};

// Of an extension that occurs twice, the first counts.
void ext_view_init(struct ext_view *view, const struct rtp *rtp, const uint8_t *buf, const struct ext_map *map);

static inline bool ext_view_has(const struct ext_view *view, enum ext_house house)
{
    return view->has >> house & 1;
}

// The element as it lies in buf, with the house id; absent: data is NULL.
static inline struct ext ext_view_get(const struct ext_view *view, const uint8_t *buf, enum ext_house house)
{
    if (!ext_view_has(view, house))
        return (struct ext){0};
    return (struct ext){buf + view->off[house], (uint8_t)house, view->len[house]};
}

// ---- writing ------------------------------------------------------------------------------------------------

// What a block will hold. `n` = 0 is empty; the rest needs no initialisation. Data is borrowed until written.
struct ext_list {
    unsigned n;
    struct ext v[EXT_LIST_MAX];
};

// Appends an element. Left out silently: id 0 (not negotiated) or 15 (reserved), and what finds the list full.
void ext_list_add(struct ext_list *list, uint8_t id, const void *data, uint8_t len);

// Writes head, elements and padding to a multiple of 4: the one-byte form unless an element needs the other (id over
// 14, or 0 or more than 16 octets). Returns the octets written; 0 when the list is empty or it does not fit.
size_t ext_list_write(const struct ext_list *list, uint8_t *buf, size_t cap);

// ---- elements: parse 0 or -EBADMSG (also for an absent one); write returns the octets written to `out` ------------

// mid, rid, rrid: 1..EXT_TEXT_MAX characters of visible ASCII; `out` holds EXT_TEXT_MAX + 1 and is terminated.
int ext_text_parse(const struct ext *ext, char *out);

int ext_twcc_parse(const struct ext *ext, uint16_t *seq);
uint8_t ext_twcc_write(uint8_t out[2], uint16_t seq);

// 24 bits of 1/2^18 s; wraps every 64 s.
int ext_abs_send_time_parse(const struct ext *ext, uint32_t *ast);
uint8_t ext_abs_send_time_write(uint8_t out[3], int64_t now_us);

// RFC 6464 section 3.
struct ext_audio_level {
    bool voice;       // V: the sender believes it is speech
    uint8_t level_db; // 0..127: that many dB below overload; 127 is silence
};

int ext_audio_level_parse(const struct ext *ext, struct ext_audio_level *out);
uint8_t ext_audio_level_write(uint8_t out[1], const struct ext_audio_level *level);

struct ext_playout_delay {
    uint16_t min_ms, max_ms; // 0..40950, steps of 10
};

int ext_playout_delay_parse(const struct ext *ext, struct ext_playout_delay *out);
uint8_t ext_playout_delay_write(uint8_t out[3], const struct ext_playout_delay *delay);

// 3GPP TS 26.114 section 7.4.5: 0000CFRR.
struct ext_video_orientation {
    bool back_camera;
    bool flip;         // mirrored left to right
    uint16_t rotation; // 0, 90, 180, 270 degrees
};

int ext_video_orientation_parse(const struct ext *ext, struct ext_video_orientation *out);
uint8_t ext_video_orientation_write(uint8_t out[1], const struct ext_video_orientation *orientation);
