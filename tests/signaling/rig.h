// How does a test sit at the session layer? (a hub without a network, clients that collect what they are told)
// SPDX-License-Identifier: MIT
//
// Time stands still unless rig_pass() moves it. What a client is told is kept in order; client_wait() takes the next
// event of a name and drops what came before it.
#pragma once

#include <jansson.h>

#include "signaling/http.h"
#include "signaling/hub.h"
#include "tests/signaling/fake_sfu.h"

// The JWT_SECRET of tests that ask for tokens.
#define SECRET "0123456789abcdef0123456789abcdef"

struct rig {
    struct config config;
    struct auth *auth;
    struct sfu *sfu;
    struct hub *hub;
    struct store *store; // owned; NULL unless rig_open_store() was called
    GPtrArray *clients;  // owned
};

struct client {
    struct rig *rig;
    struct session *session; // NULL: the socket is gone
    GQueue inbox;            // of json_t, whole envelopes
    unsigned ping_count;
    uint16_t close_code; // 0: open
    char close_reason[100];
    json_t *last; // what client_wait() returned
    int next_id;
};

// `settings` is "KEY=value KEY=value", or NULL: open mode, defaults.
struct rig *rig_new(const char *settings);
void rig_free(struct rig *rig); // also checks that nothing is left in the fake media server

void rig_turn(struct rig *rig);                 // what a loop turn does: media events, closed sockets
void rig_pass(struct rig *rig, double seconds); // ticking on the way

// The store its settings ask for; it must not lose anything until rig_free().
void rig_open_store(struct rig *rig);
void rig_settle(struct rig *rig); // everything said so far is written, then a turn
void settle_store(struct store *store);

struct client *client_new(struct rig *rig, const char *dialect); // NULL: let it be inferred
// The same in open mode with ?user= (and as name), or with the token (in the rig's own secret) of that user.
struct client *client_of(struct rig *rig, const char *dialect, const char *user);
void client_say(struct client *client, const char *message); // as it is, then a turn
// Sends {event, id, data} and returns the data of its ack (borrowed), or fails the test.
json_t *client_ask(struct client *client, const char *event, const char *data);
// The same, but it must be refused: with this code.
void client_ask_badly(struct client *client, const char *event, const char *data, const char *code);
// The data of the next event of that name; fails when there is none. Borrowed until the next call.
json_t *client_wait(struct client *client, const char *event);
bool client_was_told(struct client *client, const char *event); // whether it is in the inbox; takes nothing
void client_clear(struct client *client);
void client_drop(struct client *client, uint16_t code); // the socket closes

// Joins room "r" and returns the ack; `data` adds fields ("\"role\":\"host\"") or is NULL.
json_t *client_join(struct client *client, const char *user, const char *data);
struct participant *client_participant(struct client *client);

const char *text_of(const json_t *data, const char *field); // "" when it is no text
bool flag_of(const json_t *data, const char *field);

// The call with that id in the book, which must be there.
struct call *call_of(struct rig *rig, const char *id);

// The next command the media server got that begins so; fails when there is none.
void expect_command(struct rig *rig, const char *beginning);
void forget_commands(struct rig *rig);

// A token of the rig's JWT_SECRET; claims as JSON.
char *make_token(const char *secret, const char *claims);
char *make_token_with(const char *header, const char *secret, const char *claims);
char *make_bearer(const char *claims); // "Bearer " and a token of SECRET

// ---- HTTP: a site that is asked, one answer at a time ---------------------------------------------------------

struct visit {
    struct rig *rig;
    struct site *site;
    struct http_response response; // the last one
    json_t *json;                  // its body; NULL when it is none
};

struct visit visit_of(const char *settings); // at a rig of its own
void visit_clear(struct visit *visit);

// Returns the status once the answer has come, which may be after some turns. What the request leaves out is what
// a caller on this machine would say; a body is JSON.
int visit_ask(struct visit *visit, struct http_request request);
