// What does a WebRTC session description say, and how is one written? (RFC 8866, RFC 9429 "JSEP")
// SPDX-License-Identifier: MIT
//
// sdp_parse() fills plain structs whose spans point into the caller's text; sdp_print() writes the same structs.
// Parsing what was printed gives the same structs again. Nothing here decides: whether a description is acceptable
// (fingerprint present, rtcp-mux, bundled) is the negotiator's question.
//
// Inheritance. What RFC 8866 lets a session say for all its m-lines (setup, fingerprint, ice-ufrag, ice-pwd,
// ice-options, direction, extmap-allow-mixed, end-of-candidates) is copied into each m-section that does not say it
// itself, so a reader looks only at the m-section.
//
// Tolerance. Unknown lines and attributes are skipped, as are rtpmap, fmtp and rtcp-fb lines for a payload type the
// m-line does not list. A known line that is malformed refuses the whole description.
//
// Size. struct sdp is about 0.4 MB: allocate one and use it again, do not put it on a stack. No thread affinity.
#pragma once

#include "rtp/sdp_span.h"

enum {
    SDP_MEDIA_MAX = 64,       // m-sections
    SDP_CODECS_MAX = 64,      // payload types of one m-section
    SDP_EXTMAPS_MAX = 32,     // header extensions of one m-section
    SDP_SSRCS_MAX = 32,       // SSRCs of one m-section
    SDP_GROUPS_MAX = 16,      // ssrc-groups of one m-section
    SDP_GROUP_SSRCS_MAX = 8,  // SSRCs of one ssrc-group
    SDP_RIDS_MAX = 8,         // rids of one m-section, and of one simulcast list
    SDP_CANDIDATES_MAX = 32,  // candidates of one m-section; further ones are dropped
    SDP_MID_MAX = 32,         // bytes of a mid
    SDP_RID_MAX = 16,         // bytes of a rid: what a one-byte header extension can carry (RFC 8285 section 4.2)
    SDP_HASH_MAX = 64,        // bytes of a fingerprint
    SDP_MESSAGE_SIZE = 65536, // max_message_size when a description does not say it (RFC 8841 section 6)
};

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION, SDP_OTHER };

// RFC 8866 section 6.7. Bits: may send, may receive.
enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

// RFC 4145 section 4, RFC 8842 section 5.
enum sdp_setup { SDP_SETUP_NONE, SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE, SDP_SETUP_HOLDCONN };

// RFC 8122 section 5; in order of strength. MD5 and MD2 are never taken.
enum sdp_hash { SDP_HASH_NONE, SDP_SHA1, SDP_SHA224, SDP_SHA256, SDP_SHA384, SDP_SHA512 };

// RFC 4585 section 4.2, RFC 5104 section 7.1, draft-alvestrand-rmcat-remb, draft-holmer-rmcat-transport-wide-cc.
enum sdp_feedback {
    SDP_FB_NACK = 1,         // "nack"
    SDP_FB_NACK_PLI = 2,     // "nack pli"
    SDP_FB_CCM_FIR = 4,      // "ccm fir"
    SDP_FB_REMB = 8,         // "goog-remb"
    SDP_FB_TRANSPORT_CC = 16 // "transport-cc"
};

// Of several fingerprints the strongest is kept; lines with a hash not named above are skipped.
struct sdp_fingerprint {
    enum sdp_hash hash;
    uint8_t len; // bytes of value used: what the hash yields
    uint8_t value[SDP_HASH_MAX];
};

// What ICE and DTLS need (RFC 8839, RFC 8842). ufrag has 4..256 and pwd 22..256 ice-chars, or they are empty.
struct sdp_transport {
    struct sdp_span ufrag, pwd;
    struct sdp_span ice_options; // space-separated words: sdp_span_has_word(ice_options, "trickle")
    struct sdp_fingerprint fingerprint;
    enum sdp_setup setup;
    bool end_of_candidates; // RFC 8840
};

// One payload type, in the m-line's order of preference (RFC 8866 section 6.6).
struct sdp_codec {
    uint8_t pt;           // 0..127
    uint8_t feedback;     // SDP_FB_ bits; `a=rtcp-fb:*` is already spread over all codecs
    uint8_t channels;     // audio: 1 unless the rtpmap says otherwise; else 0
    uint32_t clock_hz;    // 0: no rtpmap and not a static payload type
    struct sdp_span name; // as written; compare with sdp_span_is_nocase. Empty like clock_hz
    struct sdp_span fmtp; // parameters as written ("apt=96"), see rtp/sdp_codec.h. Empty: none
};

struct sdp_extmap { // RFC 8285 section 6
    uint16_t id;    // 1..255, in an offer also 4096..4351
    enum sdp_direction direction;
    struct sdp_span uri; // extension attributes after the URI are dropped
};

struct sdp_ssrc { // RFC 5576 section 4.1
    uint32_t ssrc;
    struct sdp_span cname; // may be empty
};

// RFC 5576 section 4.2; other semantics are skipped.
enum sdp_semantics { SDP_FID, SDP_SIM };

struct sdp_ssrc_group {
    enum sdp_semantics semantics;
    uint8_t count;
    uint32_t ssrcs[SDP_GROUP_SSRCS_MAX]; // FID: media, then its RTX; SIM: lowest layer first
};

struct sdp_rid { // RFC 8851
    struct sdp_span id;
    bool recv;              // false: "send"
    struct sdp_span params; // "max-width=1280;max-height=720", as written; may be empty
};

// One list of a=simulcast (RFC 8853 section 5.1), flattened: "1,~2;3" is {1}, {2, paused, alternative}, {3}.
struct sdp_simulcast_rid {
    struct sdp_span rid;
    bool paused;      // "~"
    bool alternative; // ",": instead of the one before, not beside it
};

struct sdp_simulcast {
    uint8_t count;
    struct sdp_simulcast_rid rids[SDP_RIDS_MAX];
};

struct sdp_msid {           // RFC 8830; of several lines the first is kept
    struct sdp_span stream; // "-": no stream; empty: no a=msid
    struct sdp_span track;  // may be empty
};

struct sdp_media {
    // the m-line
    enum sdp_kind kind;
    struct sdp_span kind_name; // "message", ...: of SDP_OTHER only
    uint16_t port;             // 0: rejected, unless bundle_only
    struct sdp_span proto;     // "UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP", ...
    struct sdp_span formats;   // formats of a proto that is not RTP: "webrtc-datachannel"; else empty

    // transport
    struct sdp_span mid;                      // <= SDP_MID_MAX bytes, no two alike; may be empty
    bool bundle_only;                         // RFC 9143 section 6
    bool rtcp_mux, rtcp_mux_only, rtcp_rsize; // RFC 5761, RFC 8858 (implies rtcp_mux), RFC 5506
    struct sdp_transport transport;
    uint8_t candidate_count;
    struct sdp_span candidates[SDP_CANDIDATES_MAX]; // "candidate:..." as in RTCIceCandidate.candidate

    // RTP
    enum sdp_direction direction;
    bool extmap_allow_mixed; // RFC 8285 section 6
    struct sdp_msid msid;
    uint32_t as_kbps;  // b=AS, 0: absent
    uint32_t tias_bps; // b=TIAS (RFC 3890), 0: absent
    uint8_t codec_count, extmap_count, ssrc_count, group_count, rid_count;
    struct sdp_codec codecs[SDP_CODECS_MAX];
    struct sdp_extmap extmaps[SDP_EXTMAPS_MAX];
    struct sdp_ssrc ssrcs[SDP_SSRCS_MAX];
    struct sdp_ssrc_group groups[SDP_GROUPS_MAX];
    struct sdp_rid rids[SDP_RIDS_MAX];
    struct sdp_simulcast simulcast_send, simulcast_recv;

    // SCTP (RFC 8841); also filled from the older `a=sctpmap`
    uint16_t sctp_port;        // 0: absent
    uint64_t max_message_size; // bytes; SDP_MESSAGE_SIZE when absent, 0: any size
};

struct sdp {
    struct sdp_span username; // of o=; empty is written as "-"
    uint64_t session_id, session_version;
    bool ice_lite;
    bool extmap_allow_mixed;
    struct sdp_span msid_semantic;  // "WMS *", as written
    enum sdp_direction direction;   // what the session said for all, normally SDP_SENDRECV
    struct sdp_transport transport; // what the session said for all
    bool has_bundle;
    uint8_t bundle_count;
    struct sdp_span bundle[SDP_MEDIA_MAX]; // mids of the first a=group:BUNDLE; each names an m-section
    uint8_t media_count;
    struct sdp_media media[SDP_MEDIA_MAX]; // only the first media_count are initialised
};

// Why a description was refused. `what` is a static sentence without any of the peer's text.
struct sdp_error {
    int line; // 1..; 0: the description as a whole
    const char *what;
};

// Reads a description; lines end with CRLF or LF. Returns 0; -EBADMSG: malformed, -E2BIG: one of the bounds above;
// then *err says where and what, and *sdp is undefined. The text must outlive *sdp.
int sdp_parse(struct sdp *sdp, const char *text, size_t len, struct sdp_error *err);

// Begins a description or an m-section of one's own: everything absent, direction sendrecv,
// max_message_size SDP_MESSAGE_SIZE.
void sdp_init(struct sdp *sdp);
void sdp_media_init(struct sdp_media *media, enum sdp_kind kind);

// NULL when there is none. A mid, rid or URI compares byte by byte.
const struct sdp_media *sdp_find_mid(const struct sdp *sdp, struct sdp_span mid);
const struct sdp_codec *sdp_find_codec(const struct sdp_media *media, uint8_t pt);
const struct sdp_extmap *sdp_find_extmap(const struct sdp_media *media, const char *uri);
const struct sdp_ssrc *sdp_find_ssrc(const struct sdp_media *media, uint32_t ssrc);
const struct sdp_rid *sdp_find_rid(const struct sdp_media *media, struct sdp_span rid);

// Is the m-section's mid in the BUNDLE group?
bool sdp_is_bundled(const struct sdp *sdp, const struct sdp_media *media);

// Port 0 without bundle-only: the m-section is refused or stopped (RFC 9429 section 5.2.1).
bool sdp_is_rejected(const struct sdp_media *media);

// The same direction as the other side sees it: sendonly <-> recvonly.
enum sdp_direction sdp_direction_reverse(enum sdp_direction direction);

// ---- writing ---------------------------------------------------------------------------------------------

// A bounded text builder. What does not fit is not written and clears `ok` for good; buf is NUL-terminated always.
struct sdp_writer {
    char *buf;
    size_t cap, len; // bytes; len without the NUL
    bool ok;
};

void sdp_writer_init(struct sdp_writer *w, char *buf, size_t cap); // cap >= 1

// One line, CRLF added: sdp_write_line(w, "a=mid:%.*s", SDP_SPAN_ARG(mid)).
__attribute__((format(printf, 2, 3))) void sdp_write_line(struct sdp_writer *w, const char *format, ...);

// The whole description. Lines the structs do not hold are written as WebRTC wants them (c=IN IP4 0.0.0.0, s=-,
// t=0 0). An RTP m-section without codecs is written with format 0, as for a rejected one. Spans must hold no CR or
// LF. Returns the length without the NUL, or -ENOSPC.
int sdp_print(const struct sdp *sdp, char *buf, size_t cap);
