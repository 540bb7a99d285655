// What is one command on its way to its answer? (what the files of commands have in common)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/session.h"

// A command reads its fields, says what is wrong in `fault`, and changes nothing when request_failed().
struct request {
    struct session *session;
    struct hub *hub;
    struct participant *me; // NULL: in no room
    struct message message;
    struct fields fields;
    struct fault fault;
    bool is_answered; // or will be, by the media server
};

bool request_failed(const struct request *request);

// The ack, with that data (taken). A command that says nothing is acked with {}.
void request_reply(struct request *request, json_t *data);

// The participant of my room a field names; NULL and the fault when there is none.
struct participant *request_participant(struct request *request, const char *field);

// A `token` in the message counts like one in the URL. An expired one is overlooked where a session token is shown
// (else NULL).
void request_token(struct request *request, const char *session_token);
