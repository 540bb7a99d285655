// What does a client say about people, descriptions and candidates? (what commands and routes read alike)
// SPDX-License-Identifier: MIT
#include "signaling/asked.h"

#include <string.h>

// ---- people -------------------------------------------------------------------------------------------------

size_t asked_people(struct fields *f, const char *asker, const char *people[ASKED_PEOPLE_MAX])
{
    const json_t *value = json_object_get(f->data, "participantIds");
    size_t size = json_is_array(value) ? json_array_size(value) : 1, n = 0;
    if (!value || json_is_null(value) || size == 0)
        return fault_say(f->fault, ERROR_BAD_FIELD, "participantIds: needed, and not empty"), 0;
    if (size > ASKED_PEOPLE_MAX)
        return fault_say(f->fault, ERROR_BAD_FIELD, "participantIds: at most %d", ASKED_PEOPLE_MAX), 0;
    for (size_t i = 0; i < size; i++) {
        const char *id = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        if (!id || !is_user_id(id))
            return fault_say(f->fault, ERROR_BAD_FIELD, "participantIds: not ids this server takes"), 0;
        if (strcmp(id, asker) != 0)
            people[n++] = id;
    }
    if (n == 0)
        fault_say(f->fault, ERROR_BAD_FIELD, "participantIds: there is nobody but you");
    return n;
}

struct call_wish asked_call(struct fields *f, const char *asker, const char *people[ASKED_PEOPLE_MAX])
{
    static const char *const types[] = {"AUDIO", "VIDEO", NULL}; // in the order of enum call_type
    return (struct call_wish){
        .type = (enum call_type)field_choice(f, "type", types, CALL_VIDEO),
        .chat_id = field_text(f, "chatId", CALL_TEXT_MAX),
        .room_name = field_text(f, "room_name", CALL_TEXT_MAX),
        .users = people,
        .user_count = asked_people(f, asker, people),
    };
}

// ---- negotiation --------------------------------------------------------------------------------------------

const char *asked_target(struct fields *f, const char *asker)
{
    static const char *const names[] = {"target", "targetUserId", "to"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const json_t *value = json_object_get(f->data, names[i]);
        if (!value || json_is_null(value))
            continue;
        const char *text = json_string_value(value);
        if (text && strcmp(text, "sfu") == 0)
            return NULL;
        const char *target = field_need_id(f, names[i], is_user_id);
        if (target && strcmp(target, asker) == 0)
            fault_say(f->fault, ERROR_BAD_FIELD, "%s: that is you", names[i]);
        return target;
    }
    return NULL;
}

const char *asked_sdp(struct fields *f, const char *type)
{
    const json_t *value = json_object_get(f->data, "sdp");
    const json_t *text = json_is_object(value) ? json_object_get(value, "sdp") : value;
    const char *said = json_is_object(value) ? json_string_value(json_object_get(value, "type")) : NULL;
    if (!json_is_string(text))
        fault_say(f->fault, ERROR_BAD_FIELD, "sdp: a text, or {type, sdp}");
    else if (json_string_length(text) >= SFU_SDP_MAX)
        fault_say(f->fault, ERROR_BAD_FIELD, "sdp: at most %d bytes", SFU_SDP_MAX - 1);
    else if (said && strcmp(said, type) != 0)
        fault_say(f->fault, ERROR_BAD_FIELD, "sdp: its type must be %s", type);
    return json_string_value(text);
}

size_t asked_sources(struct fields *f, struct sfu_mid_source sources[SFU_SOURCES_MAX])
{
    json_t *value = json_object_get(f->data, "sources"), *name;
    const char *mid;
    size_t n = 0;
    if (value && !json_is_null(value) && !json_is_object(value))
        fault_say(f->fault, ERROR_BAD_FIELD, "sources: an object {mid: source}");
    if (json_object_size(value) > SFU_SOURCES_MAX)
        fault_say(f->fault, ERROR_BAD_FIELD, "sources: at most %d", SFU_SOURCES_MAX);
    json_object_foreach(value, mid, name)
    {
        if (f->fault->error != ERROR_NONE)
            return 0;
        struct sfu_mid_source *one = &sources[n++];
        const char *text = json_string_value(name);
        if (strlen(mid) > SFU_MID_MAX || !text || !sfu_source_parse(text, &one->source))
            fault_say(f->fault, ERROR_BAD_FIELD, "sources: microphone, camera, screen or screen-audio by mid");
        g_strlcpy(one->mid, mid, sizeof(one->mid));
    }
    return n;
}

struct asked_candidate asked_candidate(struct fields *f)
{
    const json_t *value = json_object_get(f->data, "candidate");
    const json_t *line = json_is_object(value) ? json_object_get(value, "candidate") : value;
    const char *mid = json_string_value(json_object_get(value, "sdpMid"));
    const char *text = json_is_string(line) ? json_string_value(line) : "";
    if (value && !json_is_null(value) && !json_is_object(value) && !json_is_string(value))
        fault_say(f->fault, ERROR_BAD_FIELD, "candidate: an RTCIceCandidate, a text, or null");
    else if (line && !json_is_null(line) && !json_is_string(line))
        fault_say(f->fault, ERROR_BAD_FIELD, "candidate: its candidate must be a text");
    else if (strlen(text) > SFU_CANDIDATE_MAX)
        fault_say(f->fault, ERROR_BAD_FIELD, "candidate: at most %d bytes", SFU_CANDIDATE_MAX);
    else if (mid && strlen(mid) > SFU_MID_MAX)
        fault_say(f->fault, ERROR_BAD_FIELD, "candidate: sdpMid has at most %d bytes", SFU_MID_MAX);
    return (struct asked_candidate){.mid = mid, .text = text};
}

struct fault asked_fault(const char *wire_event, const struct fault *fault)
{
    struct fault said = *fault;
    const char *colon = strchr(fault->text, ':');
    char field[40];
    if (wire_event && colon && (size_t)(colon - fault->text) < sizeof(field)) {
        g_strlcpy(field, fault->text, (gsize)(colon - fault->text) + 1);
        g_snprintf(said.text, sizeof(said.text), "%s%s", dialect_field_name(wire_event, field), colon);
    }
    return said;
}
