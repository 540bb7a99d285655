// What does each HTTP route do? (one function each, in api_*.c by subject; who may call it: site.c)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/exchange.h"

// ---- api_server.c
void api_health(struct exchange *exchange);
void api_get_ice_servers(struct exchange *exchange);

// ---- api_stats.c
void api_get_stats(struct exchange *exchange); // of the rooms the bearer is host of
void api_get_metrics(struct exchange *exchange);

// ---- api_recordings.c: for who may record the room; answered when it is so
void api_post_recording(struct exchange *exchange);
void api_delete_recording(struct exchange *exchange);
void api_get_recordings(struct exchange *exchange);
void api_get_recording(struct exchange *exchange);
void api_get_recording_file(struct exchange *exchange);
void api_remove_recording(struct exchange *exchange);

// ---- api_taps.c: the same right
void api_post_tap(struct exchange *exchange);
void api_get_taps(struct exchange *exchange);
void api_delete_tap(struct exchange *exchange);

// ---- api_calls_signaling.c: to another member, or to the media server, whose answer is the answer
void api_signal_offer(struct exchange *exchange);
void api_signal_answer(struct exchange *exchange);
void api_signal_candidate(struct exchange *exchange);

// ---- api_history.c: of the bearer, in open mode of ?user=
void api_get_call_history(struct exchange *exchange);
void api_get_active_calls(struct exchange *exchange);

// ---- api_calls.c: of the bearer, in open mode of `userId` in the body or `user` in the query
void api_post_call(struct exchange *exchange);
void api_answer_call(struct exchange *exchange);
void api_end_call(struct exchange *exchange);
void api_get_call(struct exchange *exchange); // of one that is over from the store
void api_post_call_participants(struct exchange *exchange);
void api_get_call_participants(struct exchange *exchange);
void api_patch_call_media(struct exchange *exchange);
void api_post_video_call(struct exchange *exchange);
void api_join_video_call(struct exchange *exchange);
void api_end_video_call(struct exchange *exchange);
void api_get_video_call(struct exchange *exchange);

// ---- api_rooms.c
void api_post_rooms(struct exchange *exchange);
void api_get_room(struct exchange *exchange);
// By a host's token, a host's sessionToken, or from loopback in open mode.
void api_patch_room(struct exchange *exchange);
void api_delete_room(struct exchange *exchange);
