// Is what monitoring reads well formed, complete, and silent about people? (signaling/metrics.c)
// SPDX-License-Identifier: MIT
//
// A strict reader of the text format checks every line; promtool does so too where it is installed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signaling/metrics.h"
#include "tests/signaling/rig.h"

#define HOST_OF_ALL "{\"sub\":\"adm\",\"role\":\"host\",\"room\":\"*\"}"

// ---- a strict reader ----------------------------------------------------------------------------------------

struct reader {
    bool is_openmetrics;
    char family[128], type[16];
    unsigned samples; // of this family
    GHashTable *seen; // names of families, and whole series
};

static size_t name_len(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

static void read_help(struct reader *r, const char *line)
{
    size_t len = name_len(line);
    assert_true(len > 0 && line[len] == ' ' && strlen(line + len) > 10);
    assert_true(len < sizeof(r->family));
    memcpy(r->family, line, len);
    r->family[len] = '\0';
    assert_true(g_hash_table_add(r->seen, g_strdup(r->family))); // each family once
    r->type[0] = '\0';
    r->samples = 0;
}

static void read_type(struct reader *r, const char *line)
{
    char name[128];
    assert_int_equal(sscanf(line, "%127s %15s", name, r->type), 2);
    assert_string_equal(name, r->family); // right behind its HELP
    bool is_counter = strcmp(r->type, "counter") == 0;
    assert_true(is_counter || strcmp(r->type, "gauge") == 0);
    assert_int_equal(g_str_has_suffix(name, "_total"), is_counter && !r->is_openmetrics);
}

static const char *read_labels(const char *at)
{
    if (*at != '{')
        return at;
    do {
        size_t len = name_len(++at);
        assert_true(len > 0 && at[len] == '=' && at[len + 1] == '"');
        at += len + 2;
        at += strcspn(at, "\"\\\n");
        assert_int_equal(*at, '"');
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

static void read_sample(struct reader *r, const char *line)
{
    size_t len = name_len(line);
    char *name = g_strndup(line, len), *end;
    const char *suffix = r->is_openmetrics && strcmp(r->type, "counter") == 0 ? "_total" : "";
    char *wanted = g_strconcat(r->family, suffix, NULL);
    assert_string_equal(name, wanted);
    assert_true(r->type[0] != '\0');
    const char *value = read_labels(line + len);
    assert_true(g_hash_table_add(r->seen, g_strndup(line, (gsize)(value - line))) || r->samples == 0);
    assert_int_equal(*value, ' ');
    double number = g_ascii_strtod(value + 1, &end);
    assert_true(end > value + 1 && *end == '\0' && number >= 0);
    r->samples++;
    g_free(name);
    g_free(wanted);
}

// Returns how many samples there are.
static unsigned read_metrics(const char *text, bool is_openmetrics)
{
    struct reader r = {.is_openmetrics = is_openmetrics,
                       .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    char **lines = g_strsplit(text, "\n", -1);
    unsigned count = 0;
    bool has_ended = false;
    assert_true(g_str_has_suffix(text, "\n"));
    for (char **line = lines; line[1]; line++) {
        assert_false(has_ended);
        if (strcmp(*line, "# EOF") == 0)
            has_ended = true;
        else if (g_str_has_prefix(*line, "# HELP "))
            read_help(&r, *line + 7);
        else if (g_str_has_prefix(*line, "# TYPE "))
            read_type(&r, *line + 7);
        else
            read_sample(&r, *line), count++;
    }
    assert_int_equal(has_ended, is_openmetrics);
    g_strfreev(lines);
    g_hash_table_destroy(r.seen);
    return count;
}

// ---- tests --------------------------------------------------------------------------------------------------

static double value_of(const char *text, const char *series)
{
    char *wanted = g_strdup_printf("\n%s ", series);
    const char *at = strstr(text, wanted);
    if (!at)
        fail_msg("no %s", series);
    double value = g_ascii_strtod(at + strlen(wanted), NULL);
    g_free(wanted);
    return value;
}

static struct rig *busy_rig(void)
{
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bia = client_new(rig, NULL), *caio = client_new(rig, NULL);
    client_join(ana, "ana.silva", NULL);
    client_join(bia, "bia.Souza", NULL);
    client_ask_badly(ana, "no-such-event", "{}", "unknown-event");
    client_ask(ana, "chat-message", "{\"text\":\"palavra-secreta\"}");
    client_ask(caio, "CALL_INITIATE",
               "{\"userId\":\"caio.Lima\",\"participantIds\":[\"davi.Rocha\"],\"type\":\"VIDEO\"}");
    rig_pass(rig, 2);
    return rig;
}

static void test_both_formats_are_well_formed(void **state)
{
    (void)state;
    struct rig *rig = busy_rig();
    GString *old = metrics_print(rig->hub, METRICS_PROMETHEUS), *open = metrics_print(rig->hub, METRICS_OPENMETRICS);
    unsigned count = read_metrics(old->str, false);
    assert_true(count > 40);
    assert_int_equal(read_metrics(open->str, true), count);
    g_string_free(old, TRUE);
    g_string_free(open, TRUE);
    rig_free(rig);
}

static void test_what_happened_is_counted(void **state)
{
    (void)state;
    struct rig *rig = busy_rig();
    GString *text = metrics_print(rig->hub, METRICS_PROMETHEUS);
    static const struct {
        const char *series;
        double value;
    } wanted[] = {
        {"roda_rooms", 2},
        {"roda_participants", 3},
        {"roda_websockets", 3},
        {"roda_joins_total", 3},
        {"roda_draining", 0},
        {"roda_calls{status=\"RINGING\"}", 1},
        {"roda_calls{status=\"CONNECTED\"}", 0},
        {"roda_calls_begun_total", 1},
        {"roda_calls_over_total{status=\"ENDED\"}", 0},
        {"roda_recordings", 0},
        {"roda_messages_total{direction=\"received\"}", 5},
        {"roda_refusals_total{code=\"unknown-event\"}", 1},
        {"roda_refusals_total{code=\"forbidden\"}", 0},
        {"roda_worker_peers{worker=\"0\"}", 3},
        {"roda_media_received_packets_total", 7},
        {"roda_media_dropped_packets_total{reason=\"muted\"}", 2},
        {"roda_build_info{version=\"" RODA_VERSION "\"}", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (value_of(text->str, wanted[i].series) != wanted[i].value)
            fail_msg("%s is %f", wanted[i].series, value_of(text->str, wanted[i].series));
    assert_true(value_of(text->str, "process_open_fds") > 2);
    assert_true(value_of(text->str, "process_resident_memory_bytes") > 1e6);
    assert_true(value_of(text->str, "process_cpu_seconds_total") > 0);
    assert_true(value_of(text->str, "roda_media_event_queue_peak") > 0);
    g_string_free(text, TRUE);
    rig_free(rig);
}

static void test_nothing_personal_is_in_them(void **state)
{
    (void)state;
    static const char *const secrets[] = {"ana",  "bia",     "Souza", "Rocha", "davi",
                                          "caio", "palavra", "room=", "user=", "127."};
    struct rig *rig = busy_rig();
    GString *text = metrics_print(rig->hub, METRICS_PROMETHEUS);
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        assert_null(strstr(text->str, secrets[i]));
    g_string_free(text, TRUE);
    rig_free(rig);
}

static void test_the_format_is_negotiated(void **state)
{
    (void)state;
    assert_int_equal(metrics_format(NULL), METRICS_PROMETHEUS);
    assert_int_equal(metrics_format("*/*"), METRICS_PROMETHEUS);
    assert_int_equal(metrics_format("text/plain;version=0.0.4;q=1,*/*;q=0.1"), METRICS_PROMETHEUS);
    assert_int_equal(metrics_format("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
                     METRICS_OPENMETRICS);
}

// Asks as `address`, through a proxy or not, with a bearer or none.
static bool may(struct rig *rig, const char *address, const char *forwarded_for, const char *bearer)
{
    char *header = bearer ? g_strconcat("Bearer ", bearer, NULL) : NULL;
    struct http_request request = {.address = address, .forwarded_for = forwarded_for, .authorization = header};
    bool answer = metrics_may_read(rig->hub, &request);
    g_free(header);
    return answer;
}

static void test_who_may_read_them(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    char *admin = make_token(SECRET, HOST_OF_ALL);
    char *host = make_token(SECRET, "{\"sub\":\"h\",\"role\":\"host\",\"room\":\"r\"}");
    char *guest = make_token(SECRET, "{\"sub\":\"g\",\"role\":\"participant\",\"room\":\"*\"}");
    assert_true(may(rig, "127.0.0.1", NULL, NULL));
    assert_true(may(rig, "::1", NULL, NULL));
    assert_false(may(rig, "127.0.0.1", "203.0.113.7", NULL));
    assert_false(may(rig, "203.0.113.7", NULL, NULL));
    assert_true(may(rig, "203.0.113.7", NULL, admin));
    assert_false(may(rig, "203.0.113.7", NULL, host));
    assert_false(may(rig, "203.0.113.7", NULL, guest));
    assert_false(may(rig, "127.0.0.1", NULL, "wrong"));
    rig_free(rig);
    rig = rig_new("JWT_SECRET=" SECRET " METRICS_TOKEN=let-me-read");
    assert_true(may(rig, "203.0.113.7", NULL, "let-me-read"));
    assert_false(may(rig, "203.0.113.7", NULL, "let-me-rea"));
    assert_false(may(rig, "127.0.0.1", NULL, NULL));
    assert_true(may(rig, "127.0.0.1", "203.0.113.7", admin));
    rig_free(rig);
    g_free(admin);
    g_free(host);
    g_free(guest);
}

static void test_promtool_agrees(void **state)
{
    (void)state;
    if (access(PROMTOOL, X_OK) != 0)
        skip(); // script/bootstrap --test installs it
    struct rig *rig = busy_rig();
    GString *text = metrics_print(rig->hub, METRICS_PROMETHEUS);
    FILE *tool = popen(PROMTOOL " check metrics", "w");
    assert_non_null(tool);
    fputs(text->str, tool);
    assert_int_equal(WEXITSTATUS(pclose(tool)), 0);
    g_string_free(text, TRUE);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_formats_are_well_formed),
        cmocka_unit_test(test_what_happened_is_counted),
        cmocka_unit_test(test_nothing_personal_is_in_them),
        cmocka_unit_test(test_the_format_is_negotiated),
        cmocka_unit_test(test_who_may_read_them),
        cmocka_unit_test(test_promtool_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
