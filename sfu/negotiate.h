// What is agreed with one browser, and how is it said in SDP? (RFC 9429 "JSEP", RFC 9143 BUNDLE, RFC 8853 simulcast)
// SPDX-License-Identifier: MIT
//
// The state of one PeerConnection as seen from our side: its m-lines, its numbers for codecs and extensions, what the
// browser publishes on each m-line and what we send there. It decides nothing about rooms and touches no packet.
// Worker thread.
//
// m-lines live as long as the PeerConnection: when a publisher leaves, the receivers' m-lines become inactive and
// carry the next publisher's track of that kind, so that descriptions do not grow with the comings and goings of a
// day.
//
// Publishers agree to ONE codec per m-line: the first of their offer that every part of the house understands. The
// receivers are offered just that codec.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rtp/codec.h"
#include "rtp/ext.h"
#include "rtp/sdp.h"
#include "sfu/sfu.h"
#include "sfu/sink.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum {
    NEGOTIATE_LAYERS_MAX = 3, // simulcast layers taken of one m-line
    NEGOTIATE_TRACK_ID_MAX = 64,
    MLINE_CODECS_MAX = 4, // two for what is published (Opus in RED and Opus), two for what is sent
    MLINE_FMTP_MAX = 128,
    // Bytes that any description of ours fits in: SDP_MEDIA_MAX m-sections of four codecs and every extension, with
    // the longest names.
    NEGOTIATE_TEXT_MAX = 4 * SFU_SDP_MAX + SDP_MEDIA_MAX * 256,
};

// What the browser sends on an m-line.
struct publication {
    enum sfu_source source;
    enum codec codec;
    bool red; // audio may also come as RED
    bool nack, pli, fir;
    unsigned layer_count; // >= 1
    char rid[NEGOTIATE_LAYERS_MAX]
            [SDP_RID_MAX + 1]; // in the order of a=simulcast, lowest first; "" without simulcast
    uint32_t ssrc[NEGOTIATE_LAYERS_MAX], rtx_ssrc[NEGOTIATE_LAYERS_MAX]; // 0: not stated, comes with the first packet
};

// A stream we want to send to this browser; embedded in its owner, added with negotiate_add().
struct outgoing {
    bool video;
    enum codec codec;
    bool red; // audio may also be sent as RED
    uint32_t ssrc, rtx_ssrc;
    const char *user;                          // msid stream, and cname
    char track_id[NEGOTIATE_TRACK_ID_MAX + 1]; // msid track

    // set by negotiation
    struct mline *mline; // NULL: waits for one
    bool agreed;         // the browser receives it
    bool refused;        // the browser does not want it or cannot decode it: never offered again
    TAILQ_ENTRY(outgoing) entry;
};

struct mline_codec {
    enum codec codec;
    uint8_t pt, rtx_pt; // rtx_pt 0: none
    uint8_t feedback;   // SDP_FB_ bits
    char fmtp[MLINE_FMTP_MAX];
};

struct mline {
    char mid[SDP_MID_MAX + 1];
    enum sdp_kind kind;
    bool fresh;                         // made or recycled in an offer of ours that is not answered yet
    bool stopped;                       // port 0; may be recycled with another mid
    bool remote_sends, remote_receives; // the browser's latest word

    bool publishing; // valid: publication
    struct publication publication;
    struct outgoing *outgoing;
    bool promised; // instead of `outgoing`: a stream of the expected user is announced, with these numbers
    uint32_t promised_ssrc, promised_rtx_ssrc;

    // what our descriptions say on it
    unsigned codec_count;
    struct mline_codec codecs[MLINE_CODECS_MAX]; // in our order of preference
    uint32_t exts;                               // bit per enum ext_house
    bool allow_mixed;                            // a=extmap-allow-mixed

    // the owner's: what the publication has become
    struct track *track;
    enum codec track_codec;
};

enum negotiate_state { NEGOTIATE_STABLE, NEGOTIATE_LOCAL_OFFER, NEGOTIATE_REMOTE_OFFER };

// Read by negotiate_print.c and by the owner; changed by negotiate.c only.
struct negotiate {
    enum negotiate_state state;
    struct mline *mlines[SDP_MEDIA_MAX]; // owned
    unsigned mline_count;
    unsigned agreed_count; // of them, those the browser knows
    TAILQ_HEAD(, outgoing) outgoing;

    uint64_t session_id, version; // our o= line
    bool has_remote;              // a description of the browser was taken
    bool has_session;             // remote_session_id is valid: a description of it was seen
    uint64_t remote_session_id;
    char *expected;                          // who will publish for this browser, or NULL: negotiate_expect()
    uint32_t taken_ssrc;                     // what no promise may have
    bool stale;                              // an m-line still says what is no longer true
    bool dtls_client;                        // we are; said by the first description
    unsigned last_mid;                       // of the mids we made
    struct sdp_fingerprint fingerprint;      // of the browser's certificate; stays for the session
    char remote_ufrag[257], remote_pwd[257]; // RFC 8839 section 5.4: at most 256

    // numbers; a payload type means the same on every m-line (RFC 9143 section 9.1)
    bool pt_known[128], pt_rtx[128]; // pt_rtx: it is the RTX of pt_codec
    enum codec pt_codec[128];
    uint8_t pt_apt[128];                          // RTX: the payload type it repairs
    uint8_t pt[CODEC_COUNT], rtx_pt[CODEC_COUNT]; // what to send with; 0: not negotiated
    struct ext_map ext;
};

struct negotiate *negotiate_new(void);
void negotiate_free(struct negotiate *n); // every outgoing must have been removed

// Does this description come from another PeerConnection than the earlier ones (another o= session id)?
bool negotiate_is_other_session(const struct negotiate *n, const struct sdp *sdp);

// Why a description was not taken. text is one sentence for the client's programmer.
struct refusal {
    enum sfu_reason reason;
    char text[160];
};

// The browser's description. 0: taken, *remote says what the transport must know (it points into sdp); -1: *refusal
// says why and nothing has changed. After an offer the state is NEGOTIATE_REMOTE_OFFER until
// negotiate_print_answer().
int negotiate_offer(struct negotiate *n, const struct sdp *sdp, const struct sfu_mid_source *sources,
                    size_t source_count, struct transport_remote *remote, struct refusal *refusal);
int negotiate_answer(struct negotiate *n, const struct sdp *sdp, const struct sfu_mid_source *sources,
                     size_t source_count, struct transport_remote *remote, struct refusal *refusal);

// Our description; the length without the NUL, or -ENOSPC. An answer places waiting streams on m-lines the browser
// offered for receiving; an offer makes or reuses m-lines for them.
int negotiate_print_answer(struct negotiate *n, const struct transport_local *local, char *buf, size_t cap);
int negotiate_print_offer(struct negotiate *n, const struct transport_local *local, char *buf, size_t cap);

// Our offer was not answered; the state is NEGOTIATE_STABLE again. Its m-lines stay as they are for the next one,
// because the browser may know them: it is the answer that may have been lost. They go when an offer of the browser
// shows that it does not.
void negotiate_rollback(struct negotiate *n);

// Streams to send. After adding or removing one, ask negotiate_wants_offer().
void negotiate_add(struct negotiate *n, struct outgoing *out);
void negotiate_remove(struct negotiate *n, struct outgoing *out);

// For two people and a browser that offers to receive where it sends (addTrack() alone does): answers to it promise
// the microphone and the camera of `user` on those m-lines, so that nothing has to be offered when they come. NULL:
// nobody is expected. `taken_ssrc` is of something else that is sent: negotiate_new_ssrc() spares it.
void negotiate_expect(struct negotiate *n, const char *user, uint32_t taken_ssrc);
// The m-line on which this publication of `user` was promised and can be kept, or NULL.
struct mline *negotiate_promised(const struct negotiate *n, const char *user, const struct publication *publication);
// A stream with the numbers of that promise goes there, at once and without an offer; in the place of
// negotiate_add().
void negotiate_keep(struct negotiate *n, struct mline *mline, struct outgoing *out);
bool negotiate_has_promised(const struct negotiate *n, uint32_t ssrc);
// A random one that nothing we send or have promised has.
uint32_t negotiate_new_ssrc(const struct negotiate *n);

// Would an offer say something new? (a stream waits for an m-line that can be had, or an m-line still carries one
// that is gone)
bool negotiate_wants_offer(const struct negotiate *n);

// Is there an m-line for this waiting stream, or room for one more?
bool negotiate_has_place(const struct negotiate *n, const struct outgoing *out);

// For negotiate_print.c: an m-line the browser sends and receives on that can carry this stream as it is, or NULL;
// and promises for those that carry nothing.
struct mline *negotiate_two_way(const struct negotiate *n, const struct outgoing *out);
void negotiate_make_promises(struct negotiate *n);

// ---- numbers ---------------------------------------------------------------------------------------------

// Tells a peer's uplink what incoming numbers mean.
void negotiate_fill_uplink(const struct negotiate *n, struct uplink *uplink);

// Tells a sink how to number what it sends.
void negotiate_fill_sink(const struct negotiate *n, struct sink *sink);
