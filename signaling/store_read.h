// How is each question of store.h asked in SQL?
// SPDX-License-Identifier: MIT
//
// On the signaling thread, with a connection of its own. The functions are those of store.h.
#pragma once

#include "signaling/db.h"
#include "signaling/store.h"

enum { READ_MAX_MS = 250, EVENTS_MAX = 1000 }; // of one call

// What a query of that shape is called in SQL; its parameters are ?1 user, ?2 chat, ?3 type, ?4 before, ?5 limit,
// ?6 offset. To be freed with g_free().
char *read_calls_sql(const struct store_query *query);
char *read_count_sql(const struct store_query *query);

int read_calls(struct db *db, const struct store_query *query, store_call_h *row, void *arg);
int read_count(struct db *db, const struct store_query *query);
int read_call(struct db *db, const char *id, store_call_h *row, void *arg);
int read_participants(struct db *db, const char *const *calls, unsigned count, store_participant_h *row, void *arg);
int read_states(struct db *db, const char *call, store_change_h *row, void *arg);
int read_media(struct db *db, const char *call, store_change_h *row, void *arg);
int read_chat(struct db *db, const char *call, store_chat_h *row, void *arg);
int read_deliveries(struct db *db, store_delivery_h *row, void *arg);
