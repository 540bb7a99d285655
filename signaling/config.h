// What can be set, and to what is it set now? (environment, JSON file, defaults: one table)
// SPDX-License-Identifier: MIT
//
// Every setting has one name, the same in the environment and in the file. A file may hold no other keys; the
// environment wins over the file. An empty value is no value.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum database_sync { DATABASE_SYNC_NORMAL, DATABASE_SYNC_FULL };

// Which rooms are recorded: none, those whose host or policy wants it, all from the start.
enum record_rooms { RECORD_NEVER, RECORD_HOST, RECORD_ALWAYS };

// Texts and lists are NULL when not set; lists are NULL-terminated. Durations are in seconds.
struct config {
    // the web side
    int64_t port;
    char *bind;          // NULL: loopback in open mode, else every address
    char **frontend_url; // origins that may call us from other hosts
    char *app_domain;    // what joinURL starts with; NULL: the host the request named
    char *web_dir;
    char *tls_cert, *tls_key;
    // identity
    char *jwt_secret, *jwt_public_key;
    // ICE servers, as told to browsers
    char **stun_servers;
    json_t *turn_servers; // array of {urls, username, credential}, or NULL
    char **turn_urls;
    char *turn_secret;
    int64_t turn_ttl;
    // rooms
    int64_t reconnect_grace, room_ttl, ring_timeout;
    int64_t max_participants, max_participants_total, max_rooms, max_rooms_per_user, max_calls;
    int64_t max_connections, max_connections_per_user, max_connections_per_address;
    bool waiting_room;
    // media
    int64_t workers, worker_busy_max;
    bool ice_lite;
    int64_t media_port_min, media_port_max;
    char **media_bind;
    char *media_stun;
    char *announced_address;
    char *cipher_engine;
    // operations
    int64_t drain_timeout;
    char *metrics_token;
    // recording
    char *recording_dir; // NULL: nothing is recorded
    char *recording_hook;
    char *recording_webhook;
    int64_t record_rooms; // enum record_rooms
    int64_t recording_quota_mb, recording_free_floor_mb;
    int64_t recording_retention_days;
    char **tap_targets; // NULL: there are no taps
    // log
    int64_t log_level, log_format; // enum log_level, enum log_format
    // what is remembered
    char *database_url;    // NULL: a file in data_dir
    char *data_dir;        // never NULL after config_check()
    int64_t database_sync; // enum database_sync
    bool chat_history;
    int64_t retention_days; // 0: for ever
    // who else hears of it
    char **webhook_url;
    char *webhook_secret;
    bool webhook_insecure;
    int64_t webhook_timeout;
    // accepted, not used
    char *redis_url;
};

// Sets every default.
void config_init(struct config *config);
void config_clear(struct config *config);

// Each returns 0, or -EINVAL and one sentence naming the key in err. `environment` is like environ.
int config_read_file(struct config *config, const char *path, char *err, size_t err_size);
int config_read_environment(struct config *config, char *const *environment, char *err, size_t err_size);
int config_set(struct config *config, const char *key, const char *value, char *err, size_t err_size);

// What no single key can tell: whether they go together. Fills in what follows from other settings. Same result.
int config_check(struct config *config, char *err, size_t err_size);

// Says in the log which settings are accepted but unwise or unused.
void config_warn(const struct config *config);

// Neither JWT_SECRET nor JWT_PUBLIC_KEY: everybody is who they say they are, and only loopback is served.
bool config_is_open(const struct config *config);

// Every key with its meaning and default.
void config_print_help(FILE *out);

// What is in force, one KEY=value per line, secrets as "***"; what is not set is KEY= and nothing.
void config_print(const struct config *config, FILE *out);

// A row of the table of settings, for whoever goes through all of them. False: there are no more.
struct config_row {
    const char *key;
    const char *type;    // text, list, number, flag, choice, ports, objects
    const char *value;   // the default, or NULL
    const char *help;    // one line
    const char *choices; // "a|b|c" of a choice
    int64_t min, max;    // of a number
};

bool config_describe(size_t index, struct config_row *row);
