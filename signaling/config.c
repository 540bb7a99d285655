// What can be set, and to what is it set now? (environment, JSON file, defaults: one table)
// SPDX-License-Identifier: MIT
#include "signaling/config.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "signaling/config_rules.h"
#include "signaling/config_value.h"
#include "signaling/crypto.h"
#include "signaling/log.h"
#include "signaling/net.h"

enum setting_type { TEXT, LIST, NUMBER, FLAG, CHOICE, PORTS, OBJECTS };

enum { WEBHOOKS_MAX = 8, WEBHOOK_SECRET_BYTES = 16 };

struct setting {
    const char *key;
    enum setting_type type;
    size_t at; // offset in struct config
    const char *value;
    int64_t min, max;    // NUMBER
    const char *choices; // CHOICE: the words in the order of their numbers
    const char *help;
};

#define AT(field) offsetof(struct config, field)
#define NUMBER_SETTING(key, field, value, min, max, help)                                                            \
    {                                                                                                                \
        key, NUMBER, AT(field), value, min, max, NULL, help                                                          \
    }
#define SETTING(key, type, field, value, help)                                                                       \
    {                                                                                                                \
        key, type, AT(field), value, 0, 0, NULL, help                                                                \
    }
#define CHOICE_SETTING(key, field, value, words, help)                                                               \
    {                                                                                                                \
        key, CHOICE, AT(field), value, 0, 0, words, help                                                             \
    }

// clang-format off
static const struct setting settings[] = {
    NUMBER_SETTING("PORT", port, "3001", 0, 65535, "TCP port of pages, API and WebSocket; 0: any free one"),
    SETTING("BIND", TEXT, bind, NULL, "address to listen on; without a JWT key only loopback (the default then)"),
    SETTING("FRONTEND_URL", LIST, frontend_url, NULL, "origins of other web pages that may use this server"),
    SETTING("APP_DOMAIN", TEXT, app_domain, NULL, "what join links start with; default: the host of the request"),
    SETTING("WEB_DIR", TEXT, web_dir, NULL, "folder of the web page; default: the one that came with the program"),
    SETTING("TLS_CERT", TEXT, tls_cert, NULL, "certificate chain (PEM file): serve https and wss"),
    SETTING("TLS_KEY", TEXT, tls_key, NULL, "private key (PEM file) of TLS_CERT"),
    SETTING("JWT_SECRET", TEXT, jwt_secret, NULL, "key of HS256 tokens, 32 bytes or more: `openssl rand -hex 32` makes one"),
    SETTING("JWT_PUBLIC_KEY", TEXT, jwt_public_key, NULL, "key of RS256 or ES256 tokens: PEM text, or a file of it"),
    SETTING("STUN_SERVERS", LIST, stun_servers, NULL, "STUN urls told to browsers (JSON array)"),
    SETTING("TURN_SERVERS", OBJECTS, turn_servers, NULL, "TURN servers told to browsers (JSON array of {urls, username, credential}, or {urls, secret} as TURN_SECRET)"),
    SETTING("TURN_URLS", LIST, turn_urls, NULL, "urls of one or more coturns with use-auth-secret (JSON array); each is the fallback of the others"),
    SETTING("TURN_SECRET", TEXT, turn_secret, NULL, "their static-auth-secret: every user gets credentials that expire, and new ones in time"),
    NUMBER_SETTING("TURN_TTL", turn_ttl, "3600", 60, 86400, "seconds until they do"),
    NUMBER_SETTING("RECONNECT_GRACE", reconnect_grace, "30", 0, 3600, "seconds a participant without a socket keeps its place"),
    NUMBER_SETTING("ROOM_TTL", room_ttl, "3600", 1, 604800, "seconds a room made over HTTP lives while empty"),
    NUMBER_SETTING("MAX_PARTICIPANTS", max_participants, "12", 1, 1000, "participants in one room, observers included; at most 28 others than observers"),
    NUMBER_SETTING("MAX_PARTICIPANTS_TOTAL", max_participants_total, "2000", 1, 100000, "participants in all rooms together"),
    SETTING("WAITING_ROOM", FLAG, waiting_room, "false", "rooms that were not made over HTTP let nobody in but hosts, unless a host admits them"),
    NUMBER_SETTING("MAX_ROOMS_PER_USER", max_rooms_per_user, "100", 1, 100000, "rooms one token's bearer may have made"),
    NUMBER_SETTING("MAX_ROOMS", max_rooms, "1000", 1, 100000, "rooms at a time"),
    NUMBER_SETTING("RING_TIMEOUT", ring_timeout, "45", 30, 60, "seconds a call rings before it is missed"),
    NUMBER_SETTING("MAX_CALLS", max_calls, "1000", 1, 100000, "calls at a time"),
    NUMBER_SETTING("MAX_CONNECTIONS", max_connections, "2000", 1, 50000, "WebSockets at a time"),
    NUMBER_SETTING("MAX_CONNECTIONS_PER_USER", max_connections_per_user, "20", 1, 50000, "WebSockets of one token's bearer"),
    NUMBER_SETTING("MAX_CONNECTIONS_PER_ADDRESS", max_connections_per_address, "500", 0, 50000, "WebSockets from one address (IPv6: one /64), but for this machine itself; 0: no limit"),
    NUMBER_SETTING("WORKERS", workers, "0", 0, 256, "media threads; 0: one per core"),
    NUMBER_SETTING("WORKER_BUSY_MAX", worker_busy_max, "90", 10, 100, "per cent of a core at which a media thread takes nobody new; 100: whatever comes"),
    SETTING("ICE_LITE", FLAG, ice_lite, "false", "only answer connectivity checks (a server with a public address)"),
    SETTING("MEDIA_PORTS", PORTS, media_port_min, NULL, "UDP ports of media, as 40000-49999; default: any"),
    SETTING("MEDIA_BIND", LIST, media_bind, NULL, "local addresses of media; default: all but loopback, which serves only where there is no other"),
    SETTING("MEDIA_STUN", TEXT, media_stun, NULL, "host:port of a STUN server that tells the server its own public address"),
    SETTING("ANNOUNCED_ADDRESS", TEXT, announced_address, NULL, "address shown to browsers instead of the local one (1:1 NAT)"),
    SETTING("CIPHER_ENGINE", TEXT, cipher_engine, "auto", "SRTP by: auto, libsrtp, ipsec-mb"),
    NUMBER_SETTING("DRAIN_TIMEOUT", drain_timeout, "300", 0, 86400, "seconds a stopping server (SIGTERM) lets running calls go on; 0: none"),
    SETTING("METRICS_TOKEN", TEXT, metrics_token, NULL, "bearer that may read /metrics; default: only this machine may, but not through a proxy"),
    SETTING("RECORDING_DIR", TEXT, recording_dir, NULL, "folder of recordings; default: nothing can be recorded"),
    CHOICE_SETTING("RECORD_ROOMS", record_rooms, "host", "never|host|always", "which rooms are recorded: none; when a host or the room's policy says so; all from the start"),
    NUMBER_SETTING("RECORDING_QUOTA", recording_quota_mb, "0", 0, 1000000000, "megabytes all recordings together may take; 0: no limit"),
    NUMBER_SETTING("RECORDING_FREE_FLOOR", recording_free_floor_mb, "1024", 0, 1000000000, "megabytes of the disk that stay free; below it recording pauses"),
    NUMBER_SETTING("RECORDING_RETENTION_DAYS", recording_retention_days, "0", 0, 36500, "days after which recordings are deleted; 0: never"),
    SETTING("RECORDING_HOOK", TEXT, recording_hook, NULL, "command run once for each finished recording: manifest on stdin and as last argument"),
    SETTING("RECORDING_WEBHOOK", TEXT, recording_webhook, NULL, "url that is told of finished recordings only (https; signed as those of WEBHOOK_URL)"),
    SETTING("TAP_TARGETS", LIST, tap_targets, NULL, "addresses and networks taps may send to, as 127.0.0.1,10.1.0.0/16; default: there are no taps"),
    CHOICE_SETTING("LOG_LEVEL", log_level, "info", "error|warn|info|debug", "what is worth a line"),
    CHOICE_SETTING("LOG_FORMAT", log_format, "text", "text|json", "one line per event, or one JSON object per line"),
    SETTING("REDIS_URL", TEXT, redis_url, NULL, "accepted and not used: rooms live in this process"),
    SETTING("DATABASE_URL", TEXT, database_url, NULL, "where calls are remembered: sqlite:///path, sqlite:path, a path, :memory:; default: roda.db in DATA_DIR"),
    SETTING("DATA_DIR", TEXT, data_dir, NULL, "folder of what is kept; default: systemd's STATE_DIRECTORY, else ./data"),
    CHOICE_SETTING("DATABASE_SYNC", database_sync, "normal", "normal|full", "what is acknowledged survives: a killed process; a power cut too"),
    SETTING("CHAT_HISTORY", FLAG, chat_history, "false", "keep what is written in rooms and calls"),
    NUMBER_SETTING("RETENTION_DAYS", retention_days, "90", 0, 36500, "days after which calls, chat and deliveries are deleted; 0: never"),
    SETTING("WEBHOOK_URL", LIST, webhook_url, NULL, "urls that are told of calls and rooms (https)"),
    SETTING("WEBHOOK_SECRET", TEXT, webhook_secret, NULL, "key of X-Roda-Signature, 16 bytes or more"),
    SETTING("WEBHOOK_INSECURE", FLAG, webhook_insecure, "false", "take http urls of other machines than this one"),
    NUMBER_SETTING("WEBHOOK_TIMEOUT", webhook_timeout, "10", 1, 60, "seconds one delivery may take"),
};
// clang-format on

static int fault(char *err, size_t err_size, const char *key, const char *what)
{
    g_snprintf(err, err_size, "%s: %s", key, what);
    return -EINVAL;
}

static const struct setting *setting_find(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

// ---- one value ----------------------------------------------------------------------------------------------

static int setting_set(struct config *config, const struct setting *setting, const char *value, char *err,
                       size_t err_size)
{
    void *at = (char *)config + setting->at;
    char what[160] = "";
    switch (setting->type) {
    case TEXT:
        g_free(*(char **)at);
        *(char **)at = g_strdup(value);
        break;
    case LIST:
        if (!value_list(value, at))
            g_snprintf(what, sizeof(what), "it is not a list of texts");
        break;
    case NUMBER:
        if (!value_number(value, setting->min, setting->max, at))
            g_snprintf(what, sizeof(what), "\"%.40s\" is not a whole number from %" PRId64 " to %" PRId64, value,
                       setting->min, setting->max);
        break;
    case FLAG:
        if (!value_flag(value, at))
            g_snprintf(what, sizeof(what), "\"%.40s\" is neither true nor false", value);
        break;
    case CHOICE:
        if (!value_choice(value, setting->choices, at))
            g_snprintf(what, sizeof(what), "\"%.40s\" is not one of %s", value, setting->choices);
        break;
    case PORTS:
        if (!value_ports(value, at))
            g_snprintf(what, sizeof(what), "\"%.40s\" is not a range like 40000-49999", value);
        break;
    case OBJECTS:
        if (!value_objects(value, at))
            g_snprintf(what, sizeof(what),
                       "it is not a JSON array of {urls, username, credential} or {urls, secret}");
        break;
    }
    return what[0] ? fault(err, err_size, setting->key, what) : 0;
}

// ---- where values come from ---------------------------------------------------------------------------------

void config_init(struct config *config)
{
    *config = (struct config){0};
    char err[200];
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        if (settings[i].value)
            g_assert(setting_set(config, &settings[i], settings[i].value, err, sizeof(err)) == 0);
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        void *at = (char *)config + settings[i].at;
        if (settings[i].type == TEXT)
            g_free(*(char **)at);
        else if (settings[i].type == LIST)
            g_strfreev(*(char ***)at);
        else if (settings[i].type == OBJECTS)
            json_decref(*(json_t **)at);
    }
    *config = (struct config){0};
}

int config_set(struct config *config, const char *key, const char *value, char *err, size_t err_size)
{
    const struct setting *setting = setting_find(key);
    if (!setting)
        return fault(err, err_size, key, "there is no such setting; `roda --help` lists them");
    return *value ? setting_set(config, setting, value, err, err_size) : 0;
}

static int set_json(struct config *config, const char *key, const json_t *value, char *err, size_t err_size)
{
    if (json_is_null(value))
        return config_set(config, key, "", err, err_size);
    if (json_is_string(value))
        return config_set(config, key, json_string_value(value), err, err_size);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    int rc = config_set(config, key, text, err, err_size);
    free(text);
    return rc;
}

int config_read_file(struct config *config, const char *path, char *err, size_t err_size)
{
    json_error_t where;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(file)) {
        g_snprintf(err, err_size, "%s: line %d: %s", path, where.line, file ? "not a JSON object" : where.text);
        json_decref(file);
        return -EINVAL;
    }
    const char *key;
    json_t *value;
    int rc = 0;
    json_object_foreach(file, key, value) if (rc == 0) rc = set_json(config, key, value, err, err_size);
    json_decref(file);
    return rc;
}

int config_read_environment(struct config *config, char *const *environment, char *err, size_t err_size)
{
    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals)
            continue;
        char *key = g_strndup(*environment, (size_t)(equals - *environment));
        int rc = setting_find(key) ? config_set(config, key, equals + 1, err, err_size) : 0;
        g_free(key);
        if (rc)
            return rc;
    }
    return 0;
}

// ---- whether they go together -------------------------------------------------------------------------------

bool config_is_open(const struct config *config)
{
    return !config->jwt_secret && !config->jwt_public_key;
}

static bool is_loopback(const char *address)
{
    return g_str_has_prefix(address, "127.") || strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0;
}

// An origin (RFC 6454 section 6.2) has a scheme, a host and perhaps a port; one slash at the end is forgiven.
static bool tidy_origin(char *origin)
{
    if (!g_str_has_prefix(origin, "http://") && !g_str_has_prefix(origin, "https://"))
        return false;
    char *host = strstr(origin, "//") + 2;
    if (g_str_has_suffix(host, "/"))
        host[strlen(host) - 1] = '\0';
    return *host && !strpbrk(host, "/?#* ");
}

static int check_origins(char **origins, char *err, size_t err_size)
{
    for (; origins && *origins; origins++)
        if (!tidy_origin(*origins))
            return fault(err, err_size, "FRONTEND_URL", "name each origin as https://host or https://host:port");
    return 0;
}

// The folder beside an installed program (<prefix>/bin, <prefix>/share), or the one in the sources.
static char *default_web_dir(void)
{
    char *program = g_file_read_link("/proc/self/exe", NULL);
    char *bin = program ? g_path_get_dirname(program) : g_strdup(".");
    char *dir = g_build_filename(bin, "..", "share", "roda", "web", NULL);
    g_free(program);
    g_free(bin);
    if (g_file_test(dir, G_FILE_TEST_IS_DIR))
        return dir;
    g_free(dir);
    return g_strdup(RODA_WEB_DIR);
}

static void fill_in(struct config *config)
{
    if (!config->web_dir)
        config->web_dir = default_web_dir();
    const char *state_dir = g_getenv("STATE_DIRECTORY"); // systemd's; the first of a list is enough
    if (!config->data_dir)
        config->data_dir = g_strndup(state_dir ? state_dir : "data", strcspn(state_dir ? state_dir : "data", ":"));
    if (!config->bind && config_is_open(config))
        config->bind = g_strdup("127.0.0.1");
    if (config->bind && strcmp(config->bind, "localhost") == 0) {
        g_free(config->bind);
        config->bind = g_strdup("127.0.0.1");
    }
    if (config->app_domain && g_str_has_suffix(config->app_domain, "/"))
        config->app_domain[strlen(config->app_domain) - 1] = '\0';
}

// `urls` of each is a text or a list of texts.
static const char *objects_fault(const char *key, const json_t *objects)
{
    const char *what = NULL;
    size_t i, k;
    json_t *one, *url;
    json_array_foreach(objects, i, one)
    {
        json_t *urls = json_object_get(one, "urls");
        if (json_is_string(urls) && !what)
            what = config_rule_fault(key, json_string_value(urls));
        json_array_foreach(urls, k, url)
        {
            const char *text = json_string_value(url);
            what = what ? what : config_rule_fault(key, text ? text : "");
        }
    }
    return what;
}

static int check_rules(const struct config *config, char *err, size_t err_size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const void *at = (const char *)config + settings[i].at;
        const char *what = NULL;
        if (settings[i].type == TEXT && *(char *const *)at)
            what = config_rule_fault(settings[i].key, *(char *const *)at);
        for (char **one = settings[i].type == LIST ? *(char **const *)at : NULL; one && *one && !what; one++)
            what = config_rule_fault(settings[i].key, *one);
        if (settings[i].type == OBJECTS)
            what = objects_fault(settings[i].key, *(json_t *const *)at);
        if (what)
            return fault(err, err_size, settings[i].key, what);
    }
    return 0;
}

static int check_certificate(const struct config *config, char *err, size_t err_size)
{
    char what[200];
    bool is_of_key;
    if (!config->tls_cert || crypto_check_pair(config->tls_cert, config->tls_key, &is_of_key, what, sizeof(what)))
        return 0;
    return fault(err, err_size, is_of_key ? "TLS_KEY" : "TLS_CERT", what);
}

// What is told to others is private and has to be signed.
static int check_webhook(const struct config *config, const char *key, const char *url, char *err, size_t err_size)
{
    if (config_url_is_safe(url, config->webhook_insecure))
        return 0;
    return fault(err, err_size, key,
                 "a url must start with https:// (WEBHOOK_INSECURE=true allows http:// to other machines)");
}

static int check_webhooks(const struct config *config, char *err, size_t err_size)
{
    char *const *url = config->webhook_url;
    bool has_any = (url && *url) || config->recording_webhook;
    int rc = 0;
    if (url && g_strv_length(config->webhook_url) > WEBHOOKS_MAX)
        return fault(err, err_size, "WEBHOOK_URL", "too many urls");
    for (; url && *url && rc == 0; url++)
        rc = check_webhook(config, "WEBHOOK_URL", *url, err, err_size);
    if (config->recording_webhook && rc == 0)
        rc = check_webhook(config, "RECORDING_WEBHOOK", config->recording_webhook, err, err_size);
    if (rc == 0 && has_any && (!config->webhook_secret || strlen(config->webhook_secret) < WEBHOOK_SECRET_BYTES))
        return fault(err, err_size, "WEBHOOK_SECRET", "set a key of 16 bytes or more: deliveries are signed with it");
    return rc;
}

static int check_tap_targets(char *const *targets, char *err, size_t err_size)
{
    for (; targets && *targets; targets++) {
        char what[160];
        if (net_is_range(*targets))
            continue;
        g_snprintf(what, sizeof(what), "\"%.60s\" is neither an address nor a network like 10.1.0.0/16", *targets);
        return fault(err, err_size, "TAP_TARGETS", what);
    }
    return 0;
}

int config_check(struct config *config, char *err, size_t err_size)
{
    if (!config->tls_cert != !config->tls_key)
        return fault(err, err_size, config->tls_cert ? "TLS_KEY" : "TLS_CERT", "both or neither of them must be set");
    if (config->jwt_secret && config->jwt_public_key)
        return fault(err, err_size, "JWT_SECRET", "set either this or JWT_PUBLIC_KEY: one kind of token is trusted");
    if (!config->turn_secret != !config->turn_urls)
        return fault(err, err_size, config->turn_secret ? "TURN_URLS" : "TURN_SECRET",
                     "both or neither of them must be set");
    if (config_is_open(config) && config->bind && !is_loopback(config->bind))
        return fault(err, err_size, "BIND",
                     "without JWT_SECRET or JWT_PUBLIC_KEY anybody could be anybody, so only loopback is served; "
                     "set one of them, or leave BIND out");
    if (config->app_domain && !g_str_has_prefix(config->app_domain, "http://") &&
        !g_str_has_prefix(config->app_domain, "https://"))
        return fault(err, err_size, "APP_DOMAIN", "it must start with https:// or http://");
    if (config->record_rooms == RECORD_ALWAYS && !config->recording_dir)
        return fault(err, err_size, "RECORD_ROOMS", "to record always, set RECORDING_DIR");
    int rc = check_rules(config, err, err_size);
    rc = rc ? rc : check_origins(config->frontend_url, err, err_size);
    rc = rc ? rc : check_certificate(config, err, err_size);
    rc = rc ? rc : check_webhooks(config, err, err_size);
    rc = rc ? rc : check_tap_targets(config->tap_targets, err, err_size);
    if (rc)
        return rc;
    fill_in(config);
    return 0;
}

void config_warn(const struct config *config)
{
    if (config->redis_url)
        log_warn("config", "REDIS_URL is set but not used: rooms live in this one process");
    if (config_is_open(config))
        log_warn("config", "no JWT_SECRET and no JWT_PUBLIC_KEY: open mode, loopback only");
}

void config_print_help(FILE *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const struct setting *s = &settings[i];
        fprintf(out, "  %-27s %s", s->key, s->help);
        if (s->choices)
            fprintf(out, " (%s)", s->choices);
        if (s->value)
            fprintf(out, " [%s]", s->value);
        fputc('\n', out);
    }
}

// ---- what is in force ---------------------------------------------------------------------------------------

// A list as JSON, each element as it may be shown.
static json_t *shown_list(const char *key, char **list)
{
    json_t *array = json_array();
    for (; list && *list; list++) {
        char *masked = config_rule_mask(key, *list);
        json_array_append_new(array, json_string(masked));
        g_free(masked);
    }
    return array;
}

static json_t *shown_objects(const json_t *objects)
{
    json_t *copy = json_deep_copy(objects), *one;
    size_t i;
    static const char *const secrets[] = {"credential", "secret", "password"};
    json_array_foreach(copy, i, one)
    {
        for (size_t k = 0; k < G_N_ELEMENTS(secrets); k++)
            if (json_object_get(one, secrets[k]))
                json_object_set_new(one, secrets[k], json_string("***"));
    }
    return copy;
}

static char *shown_choice(const struct setting *s, int64_t value)
{
    char **words = g_strsplit(s->choices, "|", -1);
    char *word = g_strdup(words[value]);
    g_strfreev(words);
    return word;
}

// NULL: not set. To be freed with g_free().
static char *shown(const struct config *config, const struct setting *s)
{
    const void *at = (const char *)config + s->at;
    const int64_t *numbers = at;
    json_t *json = NULL;
    switch (s->type) {
    case TEXT:
        return *(char *const *)at ? config_rule_mask(s->key, *(char *const *)at) : NULL;
    case NUMBER:
        return g_strdup_printf("%" PRId64, numbers[0]);
    case FLAG:
        return g_strdup(*(const bool *)at ? "true" : "false");
    case CHOICE:
        return shown_choice(s, numbers[0]);
    case PORTS:
        return numbers[0] ? g_strdup_printf("%" PRId64 "-%" PRId64, numbers[0], numbers[1]) : NULL;
    case LIST:
        json = *(char **const *)at ? shown_list(s->key, *(char **const *)at) : NULL;
        break;
    case OBJECTS:
        json = *(json_t *const *)at ? shown_objects(*(json_t *const *)at) : NULL;
        break;
    }
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *copy = g_strdup(text);
    free(text);
    json_decref(json);
    return copy;
}

void config_print(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        char *value = shown(config, &settings[i]);
        fprintf(out, "%s=%s\n", settings[i].key, value ? value : "");
        g_free(value);
    }
}

bool config_describe(size_t index, struct config_row *row)
{
    static const char *const types[] = {[TEXT] = "text",     [LIST] = "list",   [NUMBER] = "number",  [FLAG] = "flag",
                                        [CHOICE] = "choice", [PORTS] = "ports", [OBJECTS] = "objects"};
    if (index >= G_N_ELEMENTS(settings))
        return false;
    const struct setting *s = &settings[index];
    *row = (struct config_row){s->key, types[s->type], s->value, s->help, s->choices, s->min, s->max};
    return true;
}
