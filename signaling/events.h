// What does the server say by itself? (one function per event, in the model's names)
// SPDX-License-Identifier: MIT
//
// To add one: write a function here. A dialect that wants another name for it adds a row to its table.
//
// While a participant has no socket, what belongs to the room's state is dropped, for it is sent whole when the
// participant comes back; what does not (chat, answers, candidates, relayed messages) is kept for it.
#pragma once

#include "signaling/session.h"

// The participant as every list shows it: {userId, name, role, isMuted, isVideoEnabled, isSharingScreen, avatar?}.
json_t *participant_json(const struct participant *participant);
// All of a room, in the order they came.
json_t *participants_json(const struct room *room);

// What everybody in it may know of a room: {name?, locked, waitingRoom, maxParticipants, hasPassword}.
json_t *room_rules_json(const struct room *room);
// The ack of join-room, which `admitted` repeats for whoever had to wait.
json_t *joined_json(const struct participant *participant, bool resumed);

// {recording, by, state, since, recordingId, reason}; since and recordingId only while there is one.
json_t *recording_json(const struct room *room);
// [{userId, source, active}]: whose copies are sent, or will be once there is something to send. Not where to.
json_t *taps_json(const struct room *room);

// ---- to the one who joined
void event_ice_servers(struct participant *participant);
void event_room_participants(struct participant *participant);

// Also to who is in no room: nobody new comes in any more, and in so many seconds the server stops.
void event_server_draining(struct session *session);

// ---- to all the others
void event_user_connected(const struct participant *participant);
void event_user_disconnected(const struct participant *participant, const char *reason);
void event_user_heartbeat(const struct participant *participant);

// ---- to all of them
void event_media_changed(const struct participant *participant);
void event_host_changed(const struct room *room, const struct participant *but);
void event_close_room(const struct room *room, const char *by, const char *reason); // by: NULL for an administrator
void event_active_speaker(const struct room *room, const struct participant *speaker, int level); // NULL: nobody

void event_room_changed(const struct room *room, const char *by); // by: NULL for an administrator

// ---- before the door
void event_waiting(const struct knock *knock);
void event_denied(const struct knock *knock, const char *reason);
void event_admitted(struct participant *participant);
void event_knock(const struct knock *knock, struct participant *host); // NULL: to every host
void event_knock_ended(const struct knock *knock, const char *reason); // to every host: admitted, denied, left
void event_recording_changed(const struct room *room, const struct participant *but, json_t *data); // takes data

void event_tap_changed(const struct room *room);

// ---- to one
void event_tap_state(struct participant *participant);
void event_recording_state(struct participant *participant);
void event_mute_participant(struct participant *target, const char *from, const char *kind, bool muted, bool locked);
void event_remove_participant(struct participant *target, const char *from, const char *reason);
void event_replaced(struct participant *participant); // another socket of the same user took its place
// `to` NULL: to all the others.
void event_chat_message(const struct participant *from, struct participant *to, const char *text);
// What the user `from` sent, unchanged but for the sender's id and name in it. `event` is a constant.
void event_relay(const char *from, const char *name, struct participant *to, const char *event, const json_t *data);
json_t *relay_json(const char *from, const char *name, const json_t *data);

// ---- from the media server to one
void event_sfu_offer(struct participant *participant);
void event_sfu_answer(struct participant *participant, const char *sdp);
void event_sfu_candidate(struct participant *participant, const char *candidate);
void event_tracks(struct participant *participant);
void event_media_state(struct participant *participant, const char *state);

// Everything that was kept while the participant had no socket.
void event_missed(struct participant *participant);
