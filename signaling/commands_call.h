// What may a client ask for about calls? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
//
// The call a command is about is named by `callId`; where that is absent it is the one with the user that `target`
// names, the one whose room the socket is in, or the only one of the user. In open mode a socket says with its first
// such command whose it is (`userId`, `userName`), unless the URL or join-room has said so; with tokens a `token` in
// the command counts like one in the URL.
#pragma once

#include "signaling/request.h"

// {participantIds (a list, or one), type?, chatId?, room_name?} or, to ring more people from a call one is host of,
// {participantIds, callId}. The ack of it and of command_call_answer: that of join-room, with callId
// and call.
void command_call_initiate(struct request *request);
void command_call_answer(struct request *request);           // {callId, sessionToken?}
void command_call_decline(struct request *request);          // {callId, reason?}
void command_call_end(struct request *request);              // {callId, reason?}
void command_call_leave(struct request *request);            // {callId}
void command_call_add_participants(struct request *request); // {callId, participantIds}
// {callId, targetId, reason?}, in a call's room: also takes an invitation back.
void command_call_remove(struct request *request);

// A message that needs a room, on a socket that is in none: the call it is about puts the socket into its room when
// the user has joined that call, and so does a description (`accepts`) for another member of a call that rings.
void command_call_adopt(struct request *request, bool accepts);
