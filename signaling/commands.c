// What may a client ask for? (one table: name, function, who may, what it costs)
// SPDX-License-Identifier: MIT
#include "signaling/commands.h"

#include <errno.h>
#include <string.h>

#include "signaling/archive.h"
#include "signaling/asked.h"
#include "signaling/calls.h"
#include "signaling/commands_call.h"
#include "signaling/commands_recording.h"
#include "signaling/commands_room.h"
#include "signaling/events.h"
#include "signaling/ice_servers.h"
#include "signaling/media.h"
#include "signaling/presence.h"
#include "signaling/recording.h"
#include "signaling/request.h"

enum {
    NAME_CHARS_MAX = 64,
    REASON_CHARS_MAX = 200,
    CHAT_CHARS_MAX = 4000,
    LAYER_MAX = 7, // spatial and temporal ids have three bits in every codec
};

struct command {
    const char *name; // in the model
    void (*run)(struct request *);
    unsigned needs; // of the flags below
    double cost;    // in messages
};

enum { IN_ROOM = 1, HOST = 2, OR_WAITING = 4, ACCEPTS = 8 };

// ---- coming and going ---------------------------------------------------------------------------------------

static void join_room(struct request *r)
{
    static const char *const roles[] = {"observer", "participant", "host", NULL}; // in the order of enum role
    struct fields *f = &r->fields;
    struct join join = {
        .room = field_need_id(f, "roomId", is_room_id),
        .user = field_id(f, "userId", is_user_id),
        .name = field_text(f, "name", NAME_CHARS_MAX),
        .password = policy_read_password(f),
        .session_token = field_text(f, "sessionToken", SESSION_TOKEN_CHARS),
        .has_role = field_has(f, "role"),
        .role = (enum role)field_choice(f, "role", roles, ROLE_PARTICIPANT),
        .wants_new_media = field_bool(f, "freshMedia", false),
    };
    bool resumed = false;
    request_token(r, join.session_token);
    if (request_failed(r))
        return;
    struct participant *p = presence_join(r->session, &join, &resumed, &r->fault);
    const struct knock *knock = r->session->knock;
    if (!p && knock && !request_failed(r)) {
        request_reply(r, json_pack("{s:b, s:s, s:s, s:s, s:s}", "waiting", 1, "roomId", knock->room->id, "userId",
                                   knock->user, "name", knock->name, "sessionToken", knock->token));
        return event_waiting(knock);
    }
    if (!p)
        return;
    request_reply(r, joined_json(p, resumed));
    presence_announce(p, resumed);
}

static void leave_room(struct request *r)
{
    if (r->session->knock)
        return presence_give_up(r->session->knock);
    presence_leave(r->me, "left");
}

static void remove_participant(struct request *r)
{
    if (r->me->room->call)
        return command_call_remove(r);
    struct participant *target = request_participant(r, "targetId");
    const char *reason = field_text(&r->fields, "reason", REASON_CHARS_MAX);
    if (target == r->me)
        fault_say(&r->fault, ERROR_BAD_FIELD, "targetId: to go yourself, send leave-room");
    if (!request_failed(r))
        presence_remove(target, r->me->user, reason);
}

static void close_room(struct request *r)
{
    const char *reason = field_text(&r->fields, "reason", REASON_CHARS_MAX);
    if (request_failed(r))
        return;
    request_reply(r, json_object());
    presence_close(r->me->room, r->me->user, reason);
}

static void heartbeat(struct request *r)
{
    if (r->me)
        event_user_heartbeat(r->me);
}

// ---- negotiation --------------------------------------------------------------------------------------------

static void relay(struct request *r, const char *target, const char *event)
{
    struct actor actor;
    struct participant *to = room_find(r->me->room, target);
    if (r->me->room->call && actor_of_session(r->session, &actor))
        calls_relay(r->hub, r->me->room->call, &actor, target, event, r->message.data, &r->fault);
    else if (to)
        event_relay(r->me->user, r->me->name, to, event, r->message.data);
    else
        fault_say(&r->fault, ERROR_NOT_FOUND, "target: nobody of that name is in the room");
}

// True when the message is somebody else's and was passed on, or was wrong.
static bool relayed(struct request *r, const char *event)
{
    const char *target = asked_target(&r->fields, r->me->user);
    if (target && !request_failed(r))
        relay(r, target, event);
    return target || request_failed(r);
}

// The reply comes from the media server, under the tag returned; 0: too many questions are open.
static uint64_t wait_for_sfu(struct request *r)
{
    uint64_t tag = ++r->hub->last_tag;
    if (!session_wait(r->session, tag, r->message.id, r->message.event)) {
        fault_say(&r->fault, ERROR_RATE_LIMITED, "%d questions are unanswered: wait for one", WAITING_MAX);
        return 0;
    }
    r->is_answered = true;
    return tag;
}

static void signal_offer(struct request *r)
{
    struct sfu_mid_source sources[SFU_SOURCES_MAX];
    if (relayed(r, "signal-offer"))
        return;
    const char *sdp = asked_sdp(&r->fields, "offer");
    size_t source_count = asked_sources(&r->fields, sources);
    if (request_failed(r))
        return;
    media_begin(r->me);
    uint64_t tag = wait_for_sfu(r);
    if (tag)
        media_offer(r->me, tag, sdp, sources, source_count);
}

static void signal_answer(struct request *r)
{
    struct sfu_mid_source sources[SFU_SOURCES_MAX];
    if (relayed(r, "signal-answer"))
        return;
    const char *sdp = asked_sdp(&r->fields, "answer");
    size_t source_count = asked_sources(&r->fields, sources);
    if (r->me->peer == 0)
        fault_say(&r->fault, ERROR_BAD_SDP, "there is no offer to answer");
    uint64_t tag = request_failed(r) ? 0 : wait_for_sfu(r);
    if (tag)
        media_answer(r->me, tag, sdp, sources, source_count);
}

static void ice_candidate(struct request *r)
{
    if (relayed(r, "ice-candidate"))
        return;
    struct asked_candidate candidate = asked_candidate(&r->fields);
    if (r->me->peer == 0)
        fault_say(&r->fault, ERROR_NOT_FOUND, "there is no media connection: send an offer first");
    uint64_t tag = request_failed(r) ? 0 : wait_for_sfu(r);
    if (tag)
        media_candidate(r->me, tag, candidate.mid, candidate.text);
}

static bool is_source(const char *text)
{
    enum sfu_source source;
    return sfu_source_parse(text, &source);
}

static void select_layer(struct request *r)
{
    const struct participant *publisher = request_participant(r, "userId");
    const char *name = field_need_id(&r->fields, "source", is_source);
    int spatial = field_int(&r->fields, "spatial", -1, LAYER_MAX, -1);
    int temporal = field_int(&r->fields, "temporal", -1, LAYER_MAX, -1);
    enum sfu_source source;
    if (request_failed(r) || !sfu_source_parse(name, &source))
        return;
    if (r->me->peer && publisher->peer)
        sfu_select_layer(r->hub->sfu, r->me->room->number, r->me->peer, publisher->peer, source, spatial, temporal);
}

// ---- microphones, cameras, screens --------------------------------------------------------------------------

static void media_update(struct request *r)
{
    media_change(r->me, &r->fields);
}

// `muted: false` takes the lock away and says so; it never opens somebody's microphone.
static void mute_participant(struct request *r)
{
    static const char *const kinds[] = {"audio", "video", NULL};
    struct participant *target = request_participant(r, "targetId");
    int kind = field_choice(&r->fields, "kind", kinds, 0);
    bool muted = field_bool(&r->fields, "muted", true);
    bool locked = field_bool(&r->fields, "locked", false) && muted;
    if (request_failed(r))
        return;
    *(kind == 0 ? &target->is_audio_locked : &target->is_video_locked) = locked;
    if (muted && kind == 0)
        target->is_muted = true;
    else if (muted)
        target->is_video_enabled = false;
    media_apply(target);
    event_mute_participant(target, r->me->user, kinds[kind], muted, locked);
    recording_noted_mute(target, r->me->user, kinds[kind], muted);
    media_announce(target);
}

// ---- chat ---------------------------------------------------------------------------------------------------

static void chat_message(struct request *r)
{
    const char *text = field_need_prose(&r->fields, "text", CHAT_CHARS_MAX);
    struct participant *to = field_has(&r->fields, "to") ? request_participant(r, "to") : NULL;
    if (request_failed(r))
        return;
    archive_chat(r->me, to, text);
    event_chat_message(r->me, to, text);
}

// ---- the table ----------------------------------------------------------------------------------------------

static const struct command commands[] = {
    {"join-room", join_room, 0, 4},
    {"leave-room", leave_room, IN_ROOM | OR_WAITING, 1},
    {"signal-offer", signal_offer, IN_ROOM | ACCEPTS, 4},
    {"signal-answer", signal_answer, IN_ROOM | ACCEPTS, 4},
    {"ice-candidate", ice_candidate, IN_ROOM, 0.25},
    {"media-update", media_update, IN_ROOM, 1},
    {"mute-participant", mute_participant, IN_ROOM | HOST, 1},
    {"remove-participant", remove_participant, IN_ROOM | HOST, 1},
    {"close-room", close_room, IN_ROOM | HOST, 1},
    {"chat-message", chat_message, IN_ROOM, 1},
    {"admit", command_admit, IN_ROOM | HOST, 1},
    {"deny", command_deny, IN_ROOM | HOST, 1},
    {"lock-room", command_lock_room, IN_ROOM | HOST, 1},
    {"update-room", command_update_room, IN_ROOM | HOST, 4},
    {"recording-start", command_recording_start, IN_ROOM, 4},
    {"recording-stop", command_recording_stop, IN_ROOM, 4},
    {"heartbeat", heartbeat, 0, 1},
    {"call-initiate", command_call_initiate, 0, 4},
    {"call-answer", command_call_answer, 0, 4},
    {"call-decline", command_call_decline, 0, 1},
    {"call-end", command_call_end, 0, 1},
    {"call-leave", command_call_leave, 0, 1},
    {"call-add-participants", command_call_add_participants, 0, 4},
    {"select-layer", select_layer, IN_ROOM, 1},
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

bool command_exists(const char *name)
{
    return command_find(name) != NULL;
}

const char *command_name(size_t row)
{
    return row < G_N_ELEMENTS(commands) ? commands[row].name : NULL;
}

// ---- one message --------------------------------------------------------------------------------------------

static const struct command *read_command(struct request *r, const char *text, size_t len)
{
    struct session *session = r->session;
    if (!message_parse(&r->message, text, len, &r->fault))
        return NULL;
    r->fields.data = r->message.data;
    if (!session->is_dialect_settled)
        session->dialect = dialect_guess(r->message.event);
    session->is_dialect_settled = true;
    const struct command *command = command_find(dialect_read(r->message.event, r->message.data));
    if (!command)
        fault_say(&r->fault, ERROR_UNKNOWN_EVENT, "%s: no event of that name", r->message.event);
    return command;
}

static void limit(struct request *r, double cost)
{
    struct session *session = r->session;
    struct bucket *user = session->user ? &session->user->messages : NULL;
    if (bucket_take(&session->messages, cost, r->hub->now_us) && (!user || bucket_take(user, cost, r->hub->now_us)))
        return;
    r->fault = (struct fault){0};
    fault_say(&r->fault, ERROR_RATE_LIMITED, "more messages a second than %d, or %d of one user", MESSAGES_PER_S,
              USER_MESSAGES_PER_S);
    if (bucket_take(&session->refusals, 1, r->hub->now_us))
        return;
    session_refuse(session, r->message.id, r->message.event, &r->fault);
    session_close(session, CLOSE_POLICY, "rate-limited");
}

static void check_needs(struct request *r, unsigned needs)
{
    if (r->session->knock && (needs & OR_WAITING))
        return;
    if (r->session->knock && (needs & IN_ROOM))
        fault_say(&r->fault, ERROR_FORBIDDEN, "you wait to be let in: so long you are not in the room");
    if ((needs & IN_ROOM) && !r->me && !auth_is_open(r->hub->auth) && !r->session->has_identity)
        fault_say(&r->fault, ERROR_UNAUTHORIZED, "this server asks for a token: send it with join-room");
    if ((needs & IN_ROOM) && !r->me)
        fault_say(&r->fault, ERROR_NOT_FOUND, "you are in no room: send join-room first");
    if ((needs & HOST) && r->me && r->me->role != ROLE_HOST)
        fault_say(&r->fault, ERROR_FORBIDDEN, "only a host may do that");
}

static void refuse(struct request *r)
{
    struct fault said = asked_fault(r->message.event, &r->fault);
    session_refuse(r->session, r->message.id, r->message.event, &said);
}

void command_rx(struct session *session, const char *text, size_t len)
{
    struct request r = {.session = session, .hub = session->hub, .me = session->participant};
    r.fields.fault = &r.fault;
    session->heard_us = r.hub->now_us;
    r.hub->counters.messages_rx++;
    if (session->is_closing)
        return;
    held_begin(&session->held);
    const struct command *command = read_command(&r, text, len);
    limit(&r, command ? command->cost : 1);
    if (command && (command->needs & IN_ROOM) && !request_failed(&r))
        command_call_adopt(&r, command->needs & ACCEPTS);
    if (command)
        check_needs(&r, command->needs);
    if (!request_failed(&r))
        command->run(&r);
    if (request_failed(&r))
        refuse(&r);
    else if (!r.is_answered)
        request_reply(&r, json_object());
    held_end(&session->held);
    message_clear(&r.message);
}
