// What crosses between the signaling thread and a worker? (commands down, events up)
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/mailbox.h"
#include "sfu/sfu.h"

enum command_type {
    COMMAND_JOIN,
    COMMAND_LEAVE,
    COMMAND_CLOSE,
    COMMAND_OFFER,
    COMMAND_ANSWER,
    COMMAND_CANDIDATE,
    COMMAND_MUTE,
    COMMAND_SELECT_LAYER,
    COMMAND_EXPECT,
    COMMAND_STATS,
    COMMAND_LOAD,         // for no room; peer: the worker's number
    COMMAND_RECORD_START, // this one and those below: for audience.h
    COMMAND_RECORD_STOP,
    COMMAND_RECORD_NOTE,
    COMMAND_TAP_START,
    COMMAND_TAP_STOP,
};

// One call of sfu.h as a letter; the fields are the arguments of that call.
struct command {
    struct mail mail;
    enum command_type type;
    uint64_t room, peer, tag, publisher;
    int64_t asked_us; // COMMAND_LOAD: when
    enum sfu_source source;
    bool muted;
    int spatial, temporal;
    uint16_t port;
    char *text; // sdp, candidate, user, directory, note or address
    size_t source_count;
    struct sfu_mid_source sources[SFU_SOURCES_MAX];
};

struct command *command_new(enum command_type type, uint64_t room, uint64_t peer, const char *text);
void command_free(struct command *command);

// An event on its way up: set the fields of `event`, then event_post(). text and tracks are copied.
void event_post(struct mailbox *events, const struct sfu_event *event);

// The event a letter of that mailbox holds; sfu_event_free() frees both.
struct sfu_event *event_of_mail(struct mail *mail);
