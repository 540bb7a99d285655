// How does a browser's network path to us come about, and stay? (RFC 8445, 8838, 8839, 7675; libnice behind one
// thread)
// SPDX-License-Identifier: MIT
//
// One thread runs every NiceAgent, each on a GMainContext of its own (ice_loop.h); only STUN reaches it. The
// functions below are called from worker threads, never block, and post their answers as `struct ice_event` letters
// to the mailbox given at ice_open(). An agent is known by the caller's `id`; after ice_close() returns, letters
// already posted for that id may still arrive and must be freed unread.
//
// Twin sockets. For each UDP host socket of the agent a second socket is bound to the same address and port with
// SO_REUSEPORT, and a classic BPF program lets the kernel deliver STUN (first byte 0..3, RFC 7983) to libnice and
// everything else to the twin. The twin belongs to the worker (ICE_TWIN hands it over; the receiver closes it).
// A path that is not plain UDP on a twin (ICE-TCP, relay, a kernel that refuses the filter) uses the slow door:
// ice_send() and ICE_DATA.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/address.h"
#include "sfu/mailbox.h"

enum {
    ICE_UFRAG_MAX = 256, // RFC 8839 s5.4: ice-char 4..256
    ICE_PWD_MAX = 256,   // RFC 8839 s5.4: ice-char 22..256
    ICE_LINE_MAX = 512,
    ICE_REMOTE_MAX = 64, // remote candidates kept per agent and generation; more are ignored
    ICE_TWIN_MAX = 16,   // host addresses per agent
};

struct ice;

struct ice_config {
    bool lite;                     // RFC 8445 s2.5
    uint16_t port_min, port_max;   // 0, 0: any
    const char *announced_address; // replaces the address of host candidates (1:1 NAT); NULL: none
    const char *const
        *bind_address;     // NULL-terminated; NULL: every address but loopback (loopback if there is no other)
    const char *stun_host; // NULL: no server-reflexive candidates
    uint16_t stun_port;
};

// Starts the thread; NULL and one sentence in err when the configuration cannot work.
struct ice *ice_new(const struct ice_config *cfg, char *err, size_t err_size);
// Stops and joins the thread; every agent still open is closed.
void ice_free(struct ice *ice);

bool ice_is_lite(const struct ice *ice); // any thread

// ---- from a worker ----

// Creates an agent and starts gathering: ICE_LOCAL, then ICE_TWIN per host socket, follow.
void ice_open(struct ice *ice, uint64_t id, struct mailbox *reply);
void ice_close(struct ice *ice, uint64_t id);

// The remote side's credentials. The first call starts checks; a later call with other credentials than the last is
// an ICE restart by the remote side (RFC 8839 s4.4.1.1.1): fresh local credentials come as ICE_LOCAL, media keeps
// flowing on the old path until a new one is selected. Equal credentials change nothing.
void ice_remote(struct ice *ice, uint64_t id, const char *ufrag, const char *pwd);

// Starts an ICE restart of our own: fresh local credentials come as ICE_LOCAL.
void ice_restart(struct ice *ice, uint64_t id);

// One remote candidate line, with or without "a=" and "candidate:"; NULL: end of candidates. The caller has
// checked the syntax with ice_candidate_check(). TCP and .local candidates are ignored.
void ice_candidate(struct ice *ice, uint64_t id, const char *line);

// Media that verified came to `local` from `remote` while ICE said otherwise: the selected pair was silent, or the
// state ICE_DISCONNECTED. The browser has changed its path without a restart (a cable was pulled), or is back. When
// ICE knows both addresses by its checks that is the path: ICE_PATH follows if it is another, ICE_STATE if it was
// disconnected. libnice alone would stay with the pair of the higher priority, dead or not.
void ice_moved(struct ice *ice, uint64_t id, const union sockaddr_any *local, const union sockaddr_any *remote);

// Sends bytes by the slow door.
void ice_send(struct ice *ice, uint64_t id, const void *data, size_t len);

// 0 if line is a candidate by RFC 8839 s5.1 (any transport, any address), -EBADMSG if not. Pure; any thread.
int ice_candidate_check(const char *line);

// ---- to a worker ----

enum ice_event_type {
    ICE_LOCAL,     // ufrag, pwd, text: the host candidate lines joined by '\n' ("candidate:..." each)
    ICE_TWIN,      // fd, local
    ICE_CANDIDATE, // text: one more local candidate; "" = end of candidates
    ICE_PATH,      // local, remote, slow: the selected pair (again after each change and each restart)
    ICE_STATE,     // state
    ICE_DATA,      // data, len: bytes that came by the slow door from the selected pair
    ICE_CLOSED,    // the agent is gone; the last letter of this id
};

enum ice_state {
    ICE_CHECKING,     // before the first pair was selected
    ICE_CONNECTED,    // a pair is selected and answers
    ICE_DISCONNECTED, // it did not answer for 10 s (RFC 7675); it may again (noticed within 12 s), or after a restart
    ICE_FAILED,       // no pair was found; a late candidate or a restart may bring one
};

struct ice_event {
    struct mail mail;
    enum ice_event_type type;
    uint64_t id;
    enum ice_state state;
    bool slow;
    int fd;
    union sockaddr_any local, remote;
    char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1];
    size_t len;
    char data[]; // text or bytes; text is NUL-terminated
};

// Frees a letter; closes the fd of an ICE_TWIN that was not taken (set fd to -1 when taken).
void ice_event_free(struct ice_event *event);
