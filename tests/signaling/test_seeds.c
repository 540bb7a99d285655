// Is everything the five documents name served as they say, to every receiver in its dialect? (tables in seeds/)
// SPDX-License-Identifier: MIT
//
// One table per document, seeds/<document>.json:
//
//     {"seed": "the document's file", "pattern": "what a name looks like in it", "not": ["what only looks so"],
//      "names": ["every event, route, status it names"], "people": {"ana": {"user": "ana", "dialect": "call"}, ...},
//      "rows": [{"row": "what is shown", "names": ["further names it shows"], "steps": [...]}, ...]}
//
// Each row has a server and people (sockets, with tokens) of its own. Its steps are
//
//     {"by": "ana", "say": "CALL_INITIATE", "data": {...}, "ack": {...} | "error": "code"}
//     {"to": "bob", "hears": "CALL_INCOMING", "data": {...}}   in the order it came; what came before stays
//     {"to": "carl", "not": "CALL_INCOMING"}                   was not told
//     {"http": "POST /calls", "by": "ana", "body": {...}, "status": 201, "answer": {...}}
//     {"connect": "ana"} its DTLS is up; {"drop": "bob"} its socket is lost; {"pass": 5} seconds; {"clear": true}
//
// What is expected of an answer is part of it. A text that begins with ? stands for a kind ("?uuid", "?time",
// "?text",
// "?int", "?bool", "?sdp", "?png"), one that begins with $ for what a step has kept ({"keep": {"call": "callId"}}, a
// path with dots). Names are shown by saying, hearing, asking for them, or by a row's `names`; that none is missing
// is checked. With the documents themselves at hand (RODA_SEEDS=folder), so is that `names` has all of theirs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/site.h"
#include "tests/signaling/rig.h"

struct table {
    const char *name;
    json_t *json;
    GHashTable *shown; // names
};

struct row {
    struct table *table;
    const char *name;
    const json_t *step;
    size_t number;
    struct rig *rig;
    struct site *site;
    GHashTable *people; // key -> struct client
    json_t *kept;
};

#define fail_row(row, ...) fail_step(row, g_strdup_printf(__VA_ARGS__))

static void fail_step(const struct row *row, char *why)
{
    fail_msg("%s: %s: step %zu: %s", row->table->name, row->name, row->number, why);
}

// ---- what is expected ---------------------------------------------------------------------------------------

static json_t *at_path(json_t *json, const char *path)
{
    char **names = g_strsplit(path, ".", -1);
    for (char **name = names; *name; name++)
        json = g_ascii_isdigit(**name) ? json_array_get(json, (size_t)atoi(*name)) : json_object_get(json, *name);
    g_strfreev(names);
    return json;
}

static bool is_shaped(const char *text, const char *pattern)
{
    return text && g_regex_match_simple(pattern, text, 0, 0);
}

static bool is_kind(const json_t *json, const char *kind)
{
    const char *text = json_string_value(json);
    if (strcmp(kind, "?uuid") == 0)
        return is_shaped(text, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$");
    if (strcmp(kind, "?time") == 0)
        return is_shaped(text, "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$");
    if (strcmp(kind, "?png") == 0)
        return is_shaped(text, "^data:image/png;base64,[A-Za-z0-9+/=]{100,}$");
    if (strcmp(kind, "?sdp") == 0)
        return text && g_str_has_prefix(text, "v=0");
    if (strcmp(kind, "?text") == 0)
        return text && *text;
    if (strcmp(kind, "?int") == 0)
        return json_is_integer(json);
    if (strcmp(kind, "?bool") == 0)
        return json_is_boolean(json);
    if (strcmp(kind, "?list") == 0)
        return json_is_array(json);
    fail_msg("%s: no such kind", kind);
    return false;
}

static bool fits(const struct row *row, const json_t *is, const json_t *wanted);

static bool object_fits(const struct row *row, const json_t *is, const json_t *wanted)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key, value)
    {
        const json_t *there = json_object_get(is, key);
        if (!there || !fits(row, there, value))
            return false;
    }
    return json_is_object(is);
}

static bool array_fits(const struct row *row, const json_t *is, const json_t *wanted)
{
    bool ok = json_array_size(is) == json_array_size(wanted);
    for (size_t i = 0; ok && i < json_array_size(wanted); i++)
        ok = fits(row, json_array_get(is, i), json_array_get(wanted, i));
    return ok;
}

static bool fits(const struct row *row, const json_t *is, const json_t *wanted)
{
    const char *text = json_string_value(wanted);
    if (json_is_object(wanted))
        return object_fits(row, is, wanted);
    if (json_is_array(wanted))
        return array_fits(row, is, wanted);
    if (text && text[0] == '?')
        return is_kind(is, text);
    if (text && text[0] == '$')
        return json_equal(is, json_object_get(row->kept, text + 1));
    return json_equal(is, wanted);
}

static void expect(const struct row *row, json_t *is, const char *what)
{
    json_t *wanted = json_object_get(row->step, what), *path;
    const char *name;
    if (wanted && !fits(row, is, wanted)) {
        char *text = json_dumps(is, JSON_ENCODE_ANY);
        fail_row(row, "it was %s", text);
    }
    json_object_foreach(json_object_get(row->step, "keep"), name, path)
        json_object_set(row->kept, name, at_path(is, json_string_value(path)));
}

// The data with what was kept put in, to be freed with json_decref().
static json_t *fill_in(const struct row *row, const json_t *data)
{
    json_t *copy = json_deep_copy(data), *value;
    const char *key, *text;
    void *next;
    json_object_foreach_safe(copy, next, key, value)
    {
        if (json_is_object(value))
            json_object_set_new(copy, key, fill_in(row, value));
        else if ((text = json_string_value(value)) && text[0] == '$')
            json_object_set(copy, key, json_object_get(row->kept, text + 1));
    }
    return copy;
}

// ---- steps --------------------------------------------------------------------------------------------------

static const char *step_text(const struct row *row, const char *field)
{
    return json_string_value(json_object_get(row->step, field));
}

static struct client *person(const struct row *row, const char *field)
{
    struct client *client = g_hash_table_lookup(row->people, step_text(row, field));
    if (!client)
        fail_row(row, "nobody is called %s", step_text(row, field));
    return client;
}

static void show(const struct row *row, const char *name)
{
    g_hash_table_add(row->table->shown, g_strdup(name));
}

// Takes the first message of that event out of the inbox.
static json_t *take(struct client *client, const char *event)
{
    for (GList *at = client->inbox.head; at; at = at->next) {
        json_t *message = at->data;
        if (strcmp(text_of(message, "event"), event) != 0)
            continue;
        g_queue_delete_link(&client->inbox, at);
        return message;
    }
    return NULL;
}

static void step_say(struct row *row)
{
    struct client *client = person(row, "by");
    const char *event = step_text(row, "say"), *error = step_text(row, "error");
    json_t *given = json_object_get(row->step, "data");
    json_t *data = given ? fill_in(row, given) : json_object();
    json_t *message = json_pack("{s:s, s:i, s:s, s:o}", "event", event, "id", ++client->next_id, "timestamp",
                                "2026-01-31T10:00:00.000Z", "data", data);
    char *text = json_dumps(message, 0);
    client_say(client, text);
    json_t *reply = take(client, error ? "error" : "ack");
    json_t *answer = json_object_get(reply, "data");
    if (!reply || (error && strcmp(text_of(answer, "code"), error) != 0)) {
        json_t *other = take(client, error ? "ack" : "error");
        fail_row(row, "%s: %s", event, other ? json_dumps(other, 0) : "another answer");
    }
    show(row, event);
    expect(row, answer, "ack");
    json_decref(reply);
    json_decref(message);
    free(text);
}

static void step_hears(struct row *row)
{
    struct client *client = person(row, "to");
    const char *event = step_text(row, "hears");
    json_t *message = take(client, event);
    if (!message) {
        GString *told = g_string_new("");
        for (GList *at = client->inbox.head; at; at = at->next)
            g_string_append_printf(told, " %s", text_of(at->data, "event"));
        fail_row(row, "%s was told:%s", step_text(row, "to"), told->str);
    }
    assert_true(is_kind(json_object_get(message, "timestamp"), "?time"));
    show(row, event);
    expect(row, json_object_get(message, "data"), "data");
    json_decref(message);
}

static void step_not(struct row *row)
{
    if (client_was_told(person(row, "to"), step_text(row, "not")))
        fail_row(row, "was told %s", step_text(row, "not"));
}

static void step_connect(struct row *row)
{
    const struct participant *p = client_participant(person(row, "connect"));
    fake_sfu_say(
        row->rig->sfu,
        &(struct sfu_event){.type = SFU_STATE, .room = p->room->number, .peer = p->peer, .state = SFU_CONNECTED});
    rig_turn(row->rig);
}

static void step_drop(struct row *row)
{
    client_drop(person(row, "drop"), 1006);
}

static void step_pass(struct row *row)
{
    double seconds = json_number_value(json_object_get(row->step, "pass"));
    for (; seconds > 0; seconds -= 10) {
        for (guint i = 0; i < row->rig->clients->len; i++) {
            struct client *client = row->rig->clients->pdata[i];
            if (client->session)
                client->session->heard_us = row->rig->hub->now_us; // nobody falls asleep
        }
        rig_pass(row->rig, seconds < 10 ? seconds : 10);
    }
}

static void step_clear(struct row *row)
{
    for (guint i = 0; i < row->rig->clients->len; i++)
        client_clear(row->rig->clients->pdata[i]);
}

static char *token_of(const struct row *row, const char *who)
{
    const json_t *spec = json_object_get(json_object_get(row->table->json, "people"), who);
    const char *user = json_string_value(json_object_get(spec, "user"));
    const char *role = json_string_value(json_object_get(spec, "role"));
    char *claims =
        g_strdup_printf("{\"sub\":\"%s\",\"name\":\"%s\",\"role\":\"%s\",\"room\":\"*\","
                        "\"avatar\":\"https://example.org/%s.png\"}",
                        user ? user : who, user ? user : who, role ? role : "participant", user ? user : who);
    char *token = make_token(SECRET, claims);
    g_free(claims);
    return token;
}

static enum http_method method_of(const char *name)
{
    for (int method = 0; method <= HTTP_OPTIONS; method++)
        if (strcmp(http_method_name((enum http_method)method), name) == 0)
            return (enum http_method)method;
    fail_msg("%s: no such method", name);
    return HTTP_GET;
}

// "/calls/$call/answer" with what was kept in it.
static char *fill_path(const struct row *row, const char *path)
{
    char **parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++) {
        if (**part != '$')
            continue;
        const char *kept = json_string_value(json_object_get(row->kept, *part + 1));
        g_free(*part);
        *part = g_strdup(kept);
    }
    char *filled = g_strjoinv("/", parts);
    g_strfreev(parts);
    return filled;
}

static void no_late(void *arg)
{
    (void)arg;
}

static void step_http(struct row *row)
{
    const char *by = step_text(row, "by");
    char **words = g_strsplit(step_text(row, "http"), " ", 2), **where = g_strsplit(words[1], "?", 2);
    char *path = fill_path(row, where[0]), *token = by ? token_of(row, by) : NULL;
    char *bearer = token ? g_strconcat("Bearer ", token, NULL) : NULL;
    char **query = where[1] ? g_strsplit(where[1], "&", -1) : NULL;
    json_t *body = fill_in(row, json_object_get(row->step, "body"));
    char *text = body ? json_dumps(body, 0) : NULL;
    struct http_response response = {0};
    struct http_request request = {.method = method_of(words[0]),
                                   .path = path,
                                   .query = (const char *const *)query,
                                   .host = "localhost",
                                   .address = "192.0.2.1",
                                   .authorization = bearer,
                                   .content_type = "application/json",
                                   .body = text,
                                   .body_len = text ? strlen(text) : 0};
    struct exchange *x = exchange_new(row->rig->hub, &request, &response, no_late, NULL);
    site_serve(row->site, x);
    rig_turn(row->rig);
    json_t *answer = response.body ? json_loadb(response.body, response.body_len, JSON_DECODE_ANY, NULL) : NULL;
    if (response.status != json_integer_value(json_object_get(row->step, "status")))
        fail_row(row, "%s: %d %s", step_text(row, "http"), response.status, response.body ? response.body : "");
    expect(row, answer, "answer");
    json_decref(answer);
    exchange_free(x);
    http_response_clear(&response);
    free(text);
    json_decref(body);
    g_strfreev(query);
    g_free(bearer);
    g_free(token);
    g_free(path);
    g_strfreev(where);
    g_strfreev(words);
}

// ---- rows ---------------------------------------------------------------------------------------------------

static void take_step(struct row *row)
{
    static const struct {
        const char *field;
        void (*take)(struct row *);
    } kinds[] = {
        {"say", step_say},         {"hears", step_hears}, {"not", step_not},   {"http", step_http},
        {"connect", step_connect}, {"drop", step_drop},   {"pass", step_pass}, {"clear", step_clear},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (json_object_get(row->step, kinds[i].field))
            return kinds[i].take(row);
    fail_row(row, "not a kind of step");
}

static void let_in(struct row *row, const char *who, const json_t *spec)
{
    char err[120];
    struct identity identity;
    char *token = token_of(row, who);
    assert_int_equal(auth_verify(row->rig->auth, token, row->rig->hub->wall_ms, &identity, err, sizeof(err)), 0);
    struct client *client = client_new(row->rig, json_string_value(json_object_get(spec, "dialect")));
    session_set_identity(client->session, &identity);
    g_hash_table_insert(row->people, (char *)who, client);
    g_free(token);
}

static void show_names(struct row *row, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) show(row, json_string_value(name));
}

static void run_row(struct table *table, const json_t *json)
{
    struct row row = {.table = table,
                      .name = json_string_value(json_object_get(json, "row")),
                      .rig = rig_new("JWT_SECRET=" SECRET " STUN_SERVERS=stun:stun.example.org:3478"),
                      .people = g_hash_table_new(g_str_hash, g_str_equal),
                      .kept = json_object()};
    const char *who;
    json_t *spec;
    row.site = site_new(row.rig->hub);
    json_object_foreach(json_object_get(table->json, "people"), who, spec) let_in(&row, who, spec);
    const json_t *steps = json_object_get(json, "steps");
    for (row.number = 0; row.number < json_array_size(steps); row.number++) {
        row.step = json_array_get(steps, row.number);
        take_step(&row);
        const char *route = step_text(&row, "http");
        const char *as = step_text(&row, "as"); // how the document writes the route
        if (route)
            show(&row, as ? as : route);
    }
    show_names(&row, json_object_get(json, "names"));
    site_free(row.site);
    rig_free(row.rig);
    g_hash_table_destroy(row.people);
    json_decref(row.kept);
}

// ---- tables -------------------------------------------------------------------------------------------------

static bool lists(const json_t *list, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

// Every name the document has by the table's pattern is in the table.
static void check_document(const struct table *table)
{
    const char *folder = g_getenv("RODA_SEEDS");
    const char *file = json_string_value(json_object_get(table->json, "seed"));
    char *path = g_build_filename(folder ? folder : "", file, NULL), *text = NULL;
    const char *pattern = json_string_value(json_object_get(table->json, "pattern"));
    if (!folder || !pattern)
        return g_free(path);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    GMatchInfo *match;
    GRegex *regex = g_regex_new(pattern, G_REGEX_RAW, 0, NULL);
    assert_non_null(regex);
    unsigned count = 0;
    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        char *name = g_match_info_fetch(match, g_match_info_get_match_count(match) - 1);
        if (!lists(json_object_get(table->json, "names"), name) && !lists(json_object_get(table->json, "not"), name))
            fail_msg("%s names %s, which its table does not", file, name);
        count++;
        g_free(name);
    }
    assert_true(count > 0);
    g_match_info_free(match);
    g_regex_unref(regex);
    g_free(text);
    g_free(path);
}

static void run_table(const char *name)
{
    char *path = g_strconcat(SEED_TABLES, "/", name, NULL);
    json_error_t error;
    struct table table = {.name = name, .json = json_load_file(path, 0, &error)};
    if (!table.json)
        fail_msg("%s: line %d: %s", name, error.line, error.text);
    table.shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(table.json, "rows"), i, one) run_row(&table, one);
    json_array_foreach(json_object_get(table.json, "names"), i, one)
    {
        if (!g_hash_table_contains(table.shown, json_string_value(one)))
            fail_msg("%s: no row shows %s", name, json_string_value(one));
    }
    check_document(&table);
    g_hash_table_destroy(table.shown);
    json_decref(table.json);
    g_free(path);
}

static void test_000(void **state)
{
    (void)state;
    run_table("000.json");
}

static void test_001(void **state)
{
    (void)state;
    run_table("001.json");
}

static void test_002(void **state)
{
    (void)state;
    run_table("002.json");
}

static void test_003(void **state)
{
    (void)state;
    run_table("003.json");
}

static void test_004(void **state)
{
    (void)state;
    run_table("004.json");
}

// Receivers of one room that speak different dialects, and what protocol.md adds.
static void test_mixed(void **state)
{
    (void)state;
    run_table("mixed.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_000), cmocka_unit_test(test_001), cmocka_unit_test(test_002),
        cmocka_unit_test(test_003), cmocka_unit_test(test_004), cmocka_unit_test(test_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
