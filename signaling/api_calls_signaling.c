// What do the routes of descriptions and candidates do?
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include "signaling/asked.h"
#include "signaling/caller.h"
#include "signaling/media.h"

// One of them, in the words of the WebSocket command it stands for.
struct talk {
    struct exchange *x;
    const char *wire_event, *event;
    struct actor actor;
    json_t *data; // owned; under the model's names
    struct fields fields;
    const char *target; // NULL: the media server
};

static bool talk_begin(struct talk *talk, struct exchange *x, const char *wire_event)
{
    *talk = (struct talk){.x = x, .wire_event = wire_event};
    if (!caller_read(x, &dialect_call, &talk->actor))
        return false;
    talk->data = json_copy((json_t *)x->body.data);
    json_object_del(talk->data, "userId");
    json_object_del(talk->data, "userName");
    talk->event = dialect_read(wire_event, talk->data);
    talk->fields = (struct fields){.data = talk->data, .fault = &x->fault};
    talk->target = asked_target(&talk->fields, talk->actor.user);
    return true;
}

static bool is_call_id(const char *text)
{
    return g_uuid_string_is_valid(text);
}

// NULL: refused and answered.
static struct call *need_call(struct talk *talk)
{
    struct exchange *x = talk->x;
    const char *id = field_need_id(&talk->fields, "callId", is_call_id);
    struct fault fault = asked_fault(talk->wire_event, &x->fault);
    if (fault.error)
        return exchange_fail(x, &fault), NULL;
    return caller_need_call(x, &talk->actor, id);
}

// Whose description or candidate goes to the media server; NULL: it was passed on to a member, or refused.
static struct participant *need_speaker(struct talk *talk)
{
    struct exchange *x = talk->x;
    struct fault fault = {0};
    struct call *call = need_call(talk);
    if (!call)
        return NULL;
    if (!talk->target)
        return caller_need_place(x, &talk->actor, call);
    if (calls_relay(x->hub, call, &talk->actor, talk->target, talk->event, talk->data, &fault)) {
        exchange_answer(x, 200, json_pack("{s:s, s:s}", "callId", call->id, "targetUserId", talk->target));
        return NULL;
    }
    fault = asked_fault(talk->wire_event, &fault);
    exchange_fail(x, &fault);
    return NULL;
}

// The tag under which the media server answers.
static uint64_t wait_for_sfu(struct exchange *x, const struct participant *p)
{
    x->peer = p->peer;
    return exchange_defer(x);
}

void api_signal_offer(struct exchange *x)
{
    struct sfu_mid_source sources[SFU_SOURCES_MAX];
    struct talk talk;
    if (!talk_begin(&talk, x, "WEBRTC_OFFER"))
        return;
    const char *sdp = asked_sdp(&talk.fields, "offer");
    size_t source_count = asked_sources(&talk.fields, sources);
    struct participant *p = need_speaker(&talk);
    if (p) {
        media_begin(p);
        media_offer(p, wait_for_sfu(x, p), sdp, sources, source_count);
    }
    json_decref(talk.data);
}

void api_signal_answer(struct exchange *x)
{
    struct sfu_mid_source sources[SFU_SOURCES_MAX];
    struct talk talk;
    if (!talk_begin(&talk, x, "WEBRTC_ANSWER"))
        return;
    const char *sdp = asked_sdp(&talk.fields, "answer");
    size_t source_count = asked_sources(&talk.fields, sources);
    struct participant *p = need_speaker(&talk);
    if (p && p->peer == 0)
        exchange_refuse(x, 400, "bad-sdp", "answer: there is no offer to answer");
    else if (p)
        media_answer(p, wait_for_sfu(x, p), sdp, sources, source_count);
    json_decref(talk.data);
}

void api_signal_candidate(struct exchange *x)
{
    struct talk talk;
    if (!talk_begin(&talk, x, "WEBRTC_ICE_CANDIDATE"))
        return;
    struct asked_candidate candidate = asked_candidate(&talk.fields);
    struct participant *p = need_speaker(&talk);
    if (p && p->peer == 0)
        exchange_refuse(x, 404, "not-found", "there is no media connection: send an offer first");
    else if (p)
        media_candidate(p, wait_for_sfu(x, p), candidate.mid, candidate.text);
    json_decref(talk.data);
}
