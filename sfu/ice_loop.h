// How does one thread serve a thousand agents without asking each of them at every turn?
// SPDX-License-Identifier: MIT
//
// A GMainContext asks all of its sources before and after every poll, so one context for all agents costs more with
// each participant, at each datagram. Here every agent has a context of its own, and epoll says which of them has
// something to do. One thread; an agent's context is its thread default between ice_loop_enter() and
// ice_loop_leave().
#pragma once

#include <glib.h>
#include <stdbool.h>

struct ice_loop;
struct ice_member; // one context in the loop

// `mail_fd` is watched beside the members.
struct ice_loop *ice_loop_new(int mail_fd);
void ice_loop_free(struct ice_loop *loop); // every member must have been removed

struct ice_member *ice_loop_add(struct ice_loop *loop);
// What was begun in its context may still end there, later, without harm: contexts are used again.
void ice_loop_remove(struct ice_loop *loop, struct ice_member *member);
GMainContext *ice_member_context(const struct ice_member *member);

// Around everything that is done with a member's agent outside of ice_loop_turn().
void ice_loop_enter(struct ice_loop *loop, struct ice_member *member);
void ice_loop_leave(struct ice_loop *loop, struct ice_member *member);

// Waits until a member or the mail has something to do and lets the members do it. True: mail_fd is readable.
bool ice_loop_turn(struct ice_loop *loop);
