// What may the rest of the server ask of the media server? (ids and text; nothing of ICE, DTLS or RTP)
// SPDX-License-Identifier: MIT
//
// The narrow waist between signaling/ and sfu/. Commands go down, events come up; both are queued, nothing
// here blocks and nothing here answers at once. Every function except sfu_free() may be called from ONE
// thread only, the one that called sfu_new() (the signaling thread). `tests/signaling/fake_sfu.c` is the
// second implementation of this header.
//
// Ids. `room` and `peer` are numbers the caller makes up, never 0 and never used twice in the life of the
// sfu: a participant that joins again is a new peer. `user` is the participant's public id (it becomes the
// msid of its tracks). A room exists from its first sfu_join() to its last peer's SFU_GONE.
//
// Order. Commands for one room are carried out in the order given; its events arrive in order. A command for
// a room or peer that is already gone is dropped silently (the SFU_GONE is on its way).
//
// Tags. `tag` is any number of the caller's; it comes back in the event that answers that command.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SFU_USER_MAX = 128,      // bytes of a user id, without the NUL; printable ASCII without spaces
    SFU_MID_MAX = 32,        // bytes of an SDP mid, without the NUL
    SFU_SOURCES_MAX = 32,    // sources named in one description
    SFU_SDP_MAX = 65536,     // bytes of a description we take; ours may be longer in a large room
    SFU_CANDIDATE_MAX = 512, // bytes of one candidate line
    SFU_TRACKS_MAX = 8,      // tracks one peer may publish
    SFU_NOTE_MAX = 4095,     // bytes of a note in a recording's timeline
    SFU_TAPS_MAX = 16,       // taps of one room
    SFU_BUSY_MAX = 90,       // per cent of a core
};

struct sfu;

// What a track shows. The publisher says so with each description (`sources`); unsaid, the first audio m-line
// is the microphone, the second the screen's audio, the first video the camera, the second the screen.
enum sfu_source { SFU_MICROPHONE, SFU_CAMERA, SFU_SCREEN, SFU_SCREEN_AUDIO, SFU_SOURCE_COUNT };

struct sfu_mid_source {
    char mid[SFU_MID_MAX + 1];
    enum sfu_source source;
};

struct sfu_config {
    unsigned workers;                // 0: one per core
    unsigned busy_max;               // per cent of a core at which a worker takes nobody new; 0: SFU_BUSY_MAX,
                                     // over 100: never
    bool ice_lite;                   // true: answer checks only (a server with a public address)
    uint16_t port_min, port_max;     // UDP ports for media; 0, 0: any
    const char *announced_address;   // shown in candidates instead of the local address (1:1 NAT), or NULL
    const char *const *bind_address; // NULL-terminated list of local addresses to gather on; NULL: all but loopback;
                                     // loopback only when there is nothing else, even when it is named
    const char *stun_host;           // STUN server for server-reflexive candidates, or NULL
    uint16_t stun_port;
    const char *cipher_engine; // "auto", "libsrtp" or "ipsec-mb"; NULL: auto

    // Recording. In the directory each recording is a directory of its own: a manifest.json, one Matroska file per
    // track (README.md of this folder). Recordings that an earlier process left unfinished are closed at the start.
    const char *record_dir;      // made if need be; NULL: nothing can be recorded
    const char *record_hook;     // NULL, or a command as for sh -c, run once for each finished recording with the
                                 // manifest on standard input and its path as last argument (record_hook.h)
    uint64_t record_quota_bytes; // of all recordings together; 0: no limit
    uint64_t record_free_floor_bytes; // what must stay free on the disk; 0: nothing. Below it recording pauses

    // Called from any sfu thread when the event queue goes from empty to non-empty: schedule
    // sfu_next_event().
    void (*wake)(void *arg);
    void *wake_arg;

    // Called from any sfu thread with one line for the log; level is an enum sfu_log_level. NULL: dropped.
    void (*log)(int level, const char *line);
};

enum sfu_log_level { SFU_LOG_ERROR, SFU_LOG_WARN, SFU_LOG_INFO, SFU_LOG_DEBUG };

// Starts the threads. On failure returns NULL and writes one sentence, with what to do about it, into err.
struct sfu *sfu_new(const struct sfu_config *cfg, char *err, size_t err_size);

// Closes every room, stops and joins the threads, frees what is queued. NULL is allowed.
void sfu_free(struct sfu *sfu);

// One line for the start-up log: workers, cipher engine, ICE mode. Owned by sfu.
const char *sfu_describe(const struct sfu *sfu);

// ---- commands --------------------------------------------------------------------------------------------

// Puts a peer into a room, making the room if need be (on the least loaded worker). The peer receives the
// tracks of the others as soon as it has negotiated. While the room's worker has more to do than it can do in time
// (busy_max), nobody new is taken, so that those who are here are not late: SFU_GONE with SFU_TOO_MANY, and
// SFU_ROOM_FREED if the room was new.
void sfu_join(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user);

// Says that `user` is the only other one who will publish in this peer's room. To a browser that offers to receive on
// the m-lines it sends on, as one with addTrack() alone does, the answers to its next offers then promise that user's
// microphone and camera there: they come without another offer, which simple clients cannot take. NULL: nobody.
void sfu_expect(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user);

// Takes a peer out; its tracks end for the others. Answered by SFU_GONE.
void sfu_leave(struct sfu *sfu, uint64_t room, uint64_t peer);

// Takes every peer out. Answered by one SFU_GONE per peer, then SFU_ROOM_FREED.
void sfu_close(struct sfu *sfu, uint64_t room);

// The peer's offer. Answered by SFU_ANSWER or SFU_REFUSED with the same tag. A collision with an offer of
// ours is refused with SFU_GLARE (the server is the impolite side of W3C "perfect negotiation").
void sfu_offer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
               const struct sfu_mid_source *sources, size_t source_count);

// The peer's answer to the last SFU_OFFER. Answered by SFU_ACCEPTED or SFU_REFUSED with the same tag.
void sfu_answer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
                const struct sfu_mid_source *sources, size_t source_count);

// One trickled candidate: the text of RTCIceCandidate.candidate ("candidate:..."), "" or NULL for end of
// candidates. Answered by SFU_ACCEPTED or SFU_REFUSED. Unresolvable (.local) and TCP candidates are accepted
// and ignored.
void sfu_candidate(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *mid,
                   const char *candidate);

// Stops or resumes forwarding of one of the peer's sources, at once and for every receiver; a key frame is
// asked for when video resumes. Remembered for a source that does not exist yet.
void sfu_mute(struct sfu *sfu, uint64_t room, uint64_t peer, enum sfu_source source, bool muted);

// Which layer of publisher's source this peer receives: spatial 0.. (lowest first), temporal 0..; -1: the
// highest there is. The switch happens at the next key frame of the wanted layer, which is asked for.
void sfu_select_layer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t publisher, enum sfu_source source,
                      int spatial, int temporal);

// Asks for SFU_STATS_DATA of one room.
void sfu_ask_stats(struct sfu *sfu, uint64_t room, uint64_t tag);

// Asks every worker how it is: as many SFU_LOAD_DATA as sfu_worker_count() says. One that is missing stands still.
void sfu_ask_load(struct sfu *sfu, uint64_t tag);
unsigned sfu_worker_count(const struct sfu *sfu);

// ---- recording -------------------------------------------------------------------------------------------

// Records everything in the room from now on, who comes later too, except what is muted. `dir` names the recording's
// directory, which must not exist: letters, digits, ".", "_" and "-", not "." first. Answered by SFU_RECORDING with
// the same tag. The timeline has who joined and left, what was published and muted, who spoke.
void sfu_record_start(struct sfu *sfu, uint64_t room, uint64_t tag, const char *dir);

// Ends the recording; so does the room's end. Answered by SFU_RECORDING with the same tag, when everything is on the
// disk.
void sfu_record_stop(struct sfu *sfu, uint64_t room, uint64_t tag);

// A line for the recording's timeline: a JSON object with a "type", of at most SFU_NOTE_MAX bytes. Two types fill in
// what the media server does not know: {"type":"room", "id":..., "title":...} and
// {"type":"participant", "user":..., "name":...}. Dropped silently when nothing is recorded.
void sfu_record_note(struct sfu *sfu, uint64_t room, const char *json);

// A copy of one source of one peer as plain RTP to a UDP address (IPv4 or IPv6, no names), sender reports to the port
// above, for transcription or broadcast. It waits for the source to be published, and follows when it comes again.
// Muted means silent. `tag` names the tap: one that exists is replaced. Answered by SFU_TAP, whenever the stream
// begins (text: its SDP) or ends.
void sfu_tap_start(struct sfu *sfu, uint64_t room, uint64_t tag, uint64_t peer, enum sfu_source source,
                   const char *address, uint16_t port);
void sfu_tap_stop(struct sfu *sfu, uint64_t room, uint64_t tag);

// ---- events ----------------------------------------------------------------------------------------------

enum sfu_event_type {
    SFU_OFFER,      // text: our SDP offer for this peer; its answer is wanted
    SFU_ANSWER,     // text: our SDP answer; tag
    SFU_ACCEPTED,   // the answer or candidate was taken; tag
    SFU_REFUSED,    // reason and text: why the description or candidate was not taken; tag. Nothing changed.
    SFU_CANDIDATE,  // text: one local candidate line, "" = end of candidates; it belongs to the first m-line
    SFU_STATE,      // state: the peer's transport changed
    SFU_TRACKS,     // tracks, track_count: everything this peer receives, by mid; sent after each change
    SFU_PUBLISHED,  // source, on: a source of this peer started or stopped to exist (m-line direction)
    SFU_SPEAKER,    // peer is the dominant speaker of the room now (0: nobody); level
    SFU_GONE,       // the peer is out of its room and its memory is freed; reason
    SFU_ROOM_FREED, // the last peer has gone
    SFU_STATS_DATA, // text: one line per peer, track, layer and received track, `key=value` pairs (peer.h); tag
    SFU_LOAD_DATA,  // text: one line of `key=value` pairs about worker number `peer` (room.h); tag
    SFU_RECORDING,  // on: the room is being recorded (text: the directory) or not any more (reason; text: the
                    // directory, or why there is none); tag: of the command, else of sfu_record_start. On with a
                    // reason: the disk lets it down, text says how; on with SFU_OK: it goes on. May come after
                    // SFU_ROOM_FREED. Of room 0: a recording of an earlier process was closed (SFU_INTERRUPTED)
    SFU_TAP,        // on: a tap's stream begins, text: its SDP; off: it has ended (reason, text); tag, peer, source
};

enum sfu_state { SFU_NEW, SFU_CONNECTING, SFU_CONNECTED, SFU_DISCONNECTED, SFU_FAILED };

enum sfu_reason {
    SFU_OK,
    SFU_BAD_SDP,       // not SDP, or without what WebRTC needs; text names the line
    SFU_GLARE,         // an offer of ours is in the air: roll back and answer it
    SFU_NO_OFFER,      // an answer without an offer to answer
    SFU_BAD_CANDIDATE, // not a candidate line
    SFU_LEFT,          // sfu_leave
    SFU_CLOSED,        // sfu_close
    SFU_MEDIA_FAILED,  // ICE or DTLS gave up for good
    SFU_TOO_MANY,      // a bound was reached; text names it
    SFU_DISK_FULL,     // a recording has gaps for want of space
    SFU_DISK_SLOW,     // a recording has gaps because the disk cannot keep up
    SFU_DISK_FAILED,   // a recording cannot be written
    SFU_INTERRUPTED,   // a recording ended with its process
    SFU_BAD_ADDRESS,   // not an IP address and port to send to
};

// One forwarded track as this peer sees it.
struct sfu_track {
    char mid[SFU_MID_MAX + 1];
    char user[SFU_USER_MAX + 1]; // who publishes it
    uint64_t publisher;
    enum sfu_source source;
    bool video;
};

struct sfu_event {
    enum sfu_event_type type;
    uint64_t room, peer, tag;
    enum sfu_reason reason;
    enum sfu_state state;
    enum sfu_source source;
    bool on;
    int level;        // dBov of the speaker, -127..0
    const char *text; // NUL-terminated, owned by the event; NULL where the type has none
    size_t track_count;
    const struct sfu_track *tracks; // owned by the event
};

// The next event, or NULL when there is none; free it with sfu_event_free().
struct sfu_event *sfu_next_event(struct sfu *sfu);
void sfu_event_free(struct sfu_event *event);

// "microphone", "camera", "screen", "screen-audio".
const char *sfu_source_name(enum sfu_source source);
bool sfu_source_parse(const char *name, enum sfu_source *source);

// "bad-sdp", "glare", ...: the reason as one word.
const char *sfu_reason_name(enum sfu_reason reason);
