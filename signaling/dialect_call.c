// How does the `call` dialect say it? (calls of users: `CALL_*` and `WEBRTC_*`)
// SPDX-License-Identifier: MIT
#include "signaling/dialect.h"

static const char *const prefixes[] = {"CALL_", "WEBRTC_", "HEARTBEAT", NULL};

static const struct dialect_field said_offer[] = {{"target", "targetUserId", NULL}, {"sdp", "offer", NULL}, {0}};
static const struct dialect_field said_answer[] = {{"target", "targetUserId", NULL}, {"sdp", "answer", NULL}, {0}};
static const struct dialect_field said_candidate[] = {{"target", "targetUserId", NULL}, {0}};
static const struct dialect_field said_target[] = {{"targetId", "targetUserId", NULL}, {0}};

static const struct dialect_name commands[] = {
    {"call-initiate", "CALL_INITIATE", NULL},
    {"call-answer", "CALL_ANSWER", NULL},
    {"call-decline", "CALL_DECLINE", NULL},
    {"call-end", "CALL_END", NULL},
    {"call-leave", "CALL_LEAVE", NULL},
    {"call-add-participants", "CALL_ADD_PARTICIPANTS", NULL},
    {"call-add-participants", "CALL_PARTICIPANTS_ADD", NULL},
    {"signal-offer", "WEBRTC_OFFER", said_offer},
    {"signal-answer", "WEBRTC_ANSWER", said_answer},
    {"ice-candidate", "WEBRTC_ICE_CANDIDATE", said_candidate},
    {"media-update", "CALL_PARTICIPANT_MEDIA_UPDATE", NULL},
    {"mute-participant", "CALL_PARTICIPANT_MUTE", said_target},
    {"remove-participant", "CALL_PARTICIPANT_REMOVE", said_target},
    {"chat-message", "CALL_CHAT_MESSAGE", NULL},
    {"recording-start", "CALL_RECORDING_START", NULL},
    {"recording-stop", "CALL_RECORDING_STOP", NULL},
    {"admit", "CALL_ADMIT", NULL},
    {"deny", "CALL_DENY", NULL},
    {"lock-room", "CALL_LOCK", NULL},
    {"update-room", "CALL_UPDATE_ROOM", NULL},
    {"heartbeat", "HEARTBEAT", NULL},
    {0},
};

static const struct dialect_field user[] = {{"name", "userName", NULL}, {0}};
static const struct dialect_field offer[] = {{"from", "fromUserId", NULL},
                                             {"fromName", "fromUserName", NULL},
                                             {"target", "targetUserId", NULL},
                                             {"sdp", "offer", "offer"},
                                             {0}};
static const struct dialect_field answer[] = {{"from", "fromUserId", NULL},
                                              {"fromName", "fromUserName", NULL},
                                              {"target", "targetUserId", NULL},
                                              {"sdp", "answer", "answer"},
                                              {0}};
static const struct dialect_field candidate[] = {
    {"from", "fromUserId", NULL}, {"fromName", "fromUserName", NULL}, {"target", "targetUserId", NULL}, {0}};
static const struct dialect_field muted[] = {{"from", "fromUserId", NULL}, {0}};
static const struct dialect_field ended[] = {{"by", "endedBy", NULL}, {0}};
static const struct dialect_field chat[] = {{"from", "fromUserId", NULL}, {"name", "fromUserName", NULL}, {0}};

static const struct dialect_name events[] = {
    {"call-incoming", "CALL_INCOMING", NULL},
    {"call-started", "CALL_STARTED", NULL},
    {"call-status-changed", "CALL_STATUS_CHANGED", NULL},
    {"call-ended", "CALL_ENDED", ended},
    {"close-room", "CALL_ENDED", ended},
    {"user-connected", "CALL_PARTICIPANT_JOINED", user},
    {"user-disconnected", "CALL_PARTICIPANT_LEFT", user},
    {"media-changed", "CALL_PARTICIPANT_MEDIA_CHANGED", user},
    {"mute-participant", "CALL_PARTICIPANT_MUTED", muted},
    {"remove-participant", "CALL_PARTICIPANT_REMOVED", muted},
    {"host-changed", "CALL_HOST_CHANGED", NULL},
    {"recording-changed", "CALL_RECORDING_CHANGED", NULL},
    {"tap-changed", "CALL_TAP_CHANGED", NULL},
    {"signal-offer", "WEBRTC_OFFER_RECEIVED", offer},
    {"signal-answer", "WEBRTC_ANSWER_RECEIVED", answer},
    {"ice-candidate", "WEBRTC_ICE_CANDIDATE_RECEIVED", candidate},
    {"chat-message", "CALL_CHAT_MESSAGE", chat},
    {"active-speaker", "CALL_ACTIVE_SPEAKER", NULL},
    {"tracks", "CALL_TRACKS", NULL},
    {"media-state", "CALL_MEDIA_STATE", NULL},
    {"waiting", "CALL_WAITING", NULL},
    {"admitted", "CALL_ADMITTED", NULL},
    {"denied", "CALL_DENIED", NULL},
    {"knock", "CALL_KNOCK", user},
    {"knock-ended", "CALL_KNOCK_ENDED", NULL},
    {"room-changed", "CALL_ROOM_CHANGED", NULL},
    {"server-draining", "CALL_SERVER_DRAINING", NULL},
    {0},
};

const struct dialect dialect_call = {"call", prefixes, commands, events};
