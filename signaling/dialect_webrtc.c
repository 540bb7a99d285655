// How does the `webrtc` dialect say it? (calls between two users: `webrtc:call`, `webrtc:offer`, ... with `to`)
// SPDX-License-Identifier: MIT
#include "signaling/dialect.h"

static const char *const prefixes[] = {"webrtc:", NULL};

static const struct dialect_field to_target[] = {{"target", "to", NULL}, {0}};
static const struct dialect_field to_called[] = {{"participantIds", "to", NULL}, {0}};

static const struct dialect_name commands[] = {
    {"call-initiate", "webrtc:call", to_called},
    {"call-answer", "webrtc:accept", to_target},
    {"call-decline", "webrtc:decline", to_target},
    {"call-end", "webrtc:end-call", to_target},
    {"call-leave", "webrtc:leave", to_target},
    {"call-add-participants", "webrtc:add-participants", to_called},
    {"signal-offer", "webrtc:offer", to_target},
    {"signal-answer", "webrtc:answer", to_target},
    {"ice-candidate", "webrtc:ice-candidate", to_target},
    {"media-update", "webrtc:media-update", NULL},
    {"mute-participant", "webrtc:mute-participant", NULL},
    {"remove-participant", "webrtc:remove-participant", NULL},
    {"chat-message", "webrtc:chat-message", NULL},
    {"admit", "webrtc:admit", NULL},
    {"deny", "webrtc:deny", NULL},
    {"lock-room", "webrtc:lock-room", NULL},
    {"update-room", "webrtc:update-room", NULL},
    {"heartbeat", "webrtc:heartbeat", NULL},
    {0},
};

static const struct dialect_field incoming[] = {
    {"initiatorId", "from", NULL}, {"initiatorName", "fromName", NULL}, {0}};
static const struct dialect_field ended[] = {{"by", "from", NULL}, {0}};

static const struct dialect_name events[] = {
    {"call-incoming", "webrtc:incoming-call", incoming},
    {"call-started", "webrtc:call-started", NULL},
    {"call-status-changed", "webrtc:status-changed", NULL},
    {"call-ended", "webrtc:end-call", ended},
    {"close-room", "webrtc:end-call", ended},
    {"user-connected", "webrtc:participant-joined", NULL},
    {"user-disconnected", "webrtc:participant-left", NULL},
    {"media-changed", "webrtc:media-changed", NULL},
    {"mute-participant", "webrtc:mute-participant", NULL},
    {"remove-participant", "webrtc:remove-participant", NULL},
    {"host-changed", "webrtc:host-changed", NULL},
    {"recording-changed", "webrtc:recording-changed", NULL},
    {"tap-changed", "webrtc:tap-changed", NULL},
    {"signal-offer", "webrtc:offer", to_target},
    {"signal-answer", "webrtc:answer", to_target},
    {"ice-candidate", "webrtc:ice-candidate", to_target},
    {"chat-message", "webrtc:chat-message", NULL},
    {"active-speaker", "webrtc:active-speaker", NULL},
    {"tracks", "webrtc:tracks", NULL},
    {"media-state", "webrtc:media-state", NULL},
    {"waiting", "webrtc:waiting", NULL},
    {"admitted", "webrtc:admitted", NULL},
    {"denied", "webrtc:denied", NULL},
    {"knock", "webrtc:knock", NULL},
    {"knock-ended", "webrtc:knock-ended", NULL},
    {"room-changed", "webrtc:room-changed", NULL},
    {"server-draining", "webrtc:server-draining", NULL},
    {0},
};

const struct dialect dialect_webrtc = {"webrtc", prefixes, commands, events};
