// What does a client say about people, descriptions and candidates? (what commands and routes read alike)
// SPDX-License-Identifier: MIT
//
// Fields are read under the model's names. What is wrong is said in the fields' fault; results are borrowed from the
// message.
#pragma once

#include "signaling/calls.h"

enum { ASKED_PEOPLE_MAX = 100 };

// `participantIds`, a list of user ids or one alone, without the one who asks. Returns how many; 0: see the fault.
size_t asked_people(struct fields *fields, const char *asker, const char *people[ASKED_PEOPLE_MAX]);
// {participantIds, type?, chatId?, room_name?}
struct call_wish asked_call(struct fields *fields, const char *asker, const char *people[ASKED_PEOPLE_MAX]);

// Whom a description or candidate is for: the documents name the field in three ways. NULL: the media server, or it
// was wrong.
const char *asked_target(struct fields *fields, const char *asker);

// `sdp`: {type, sdp} or the text alone.
const char *asked_sdp(struct fields *fields, const char *type);

// `sources`: {mid: "camera", ...}. Returns how many.
size_t asked_sources(struct fields *fields, struct sfu_mid_source sources[SFU_SOURCES_MAX]);

struct asked_candidate {
    const char *mid;  // or NULL
    const char *text; // "": the end of candidates
};

// `candidate`: RTCIceCandidateInit, or its candidate line alone; null, absent and "" are the end of candidates.
struct asked_candidate asked_candidate(struct fields *fields);

// A fault names fields as the model does; this names them as a command of that wire name (or NULL) does.
struct fault asked_fault(const char *wire_event, const struct fault *fault);
