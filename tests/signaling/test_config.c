// Does every setting come from where it should, and is every wrong one named?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "signaling/config.h"
#include "signaling/log.h"

static char err[400];

static void start(struct config *config)
{
    config_init(config);
    err[0] = '\0';
}

static void test_defaults(void **state)
{
    (void)state;
    struct config c;
    start(&c);
    assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    assert_int_equal(c.port, 3001);
    assert_string_equal(c.bind, "127.0.0.1");
    assert_int_equal(c.reconnect_grace, 30);
    assert_int_equal(c.max_participants, 12);
    assert_int_equal(c.log_level, LOG_LEVEL_INFO);
    assert_string_equal(c.cipher_engine, "auto");
    assert_true(config_is_open(&c));
    assert_true(g_file_test(c.web_dir, G_FILE_TEST_IS_DIR));
    config_clear(&c);
}

// The environment of the seed documents, as docker's --env-file and as a shell hand it over.
static void test_seed_environment(void **state)
{
    (void)state;
    char *const environment[] = {
        (char *)"NODE_ENV=development",
        (char *)"PORT=3005",
        (char *)"FRONTEND_URL=http://localhost:5173",
        (char *)"APP_DOMAIN=https://your-app-domain.com/",
        (char *)"STUN_SERVERS=[\"stun:stun.l.google.com:19302\", \"stun:stun1.l.google.com:19302\"]",
        (char *)"TURN_SERVERS=[{\"urls\": \"turn:server.com:3478\", \"username\": \"user\", \"credential\": "
                "\"pass\"}]",
        (char *)"REDIS_URL=redis://localhost:6379",
        (char *)"DATABASE_URL=postgres://x",
        (char *)"JWT_SECRET=",
        (char *)"no equals sign",
        NULL,
    };
    struct config c;
    start(&c);
    assert_int_equal(config_read_environment(&c, environment, err, sizeof(err)), 0);
    assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    assert_int_equal(c.port, 3005);
    assert_string_equal(c.frontend_url[0], "http://localhost:5173");
    assert_null(c.frontend_url[1]);
    assert_string_equal(c.app_domain, "https://your-app-domain.com");
    assert_string_equal(c.stun_servers[1], "stun:stun1.l.google.com:19302");
    assert_int_equal(json_array_size(c.turn_servers), 1);
    assert_null(c.jwt_secret);
    assert_int_equal(config_set(&c, "STUN_SERVERS", "[stun:a:1, stun:b:2]", err, sizeof(err)), 0);
    assert_string_equal(c.stun_servers[0], "stun:a:1");
    assert_string_equal(c.stun_servers[1], "stun:b:2");
    config_clear(&c);
}

static void test_every_type(void **state)
{
    (void)state;
    struct config c;
    start(&c);
    assert_int_equal(config_set(&c, "ICE_LITE", "yes", err, sizeof(err)), 0);
    assert_true(c.ice_lite);
    assert_int_equal(config_set(&c, "MEDIA_PORTS", "40000-49999", err, sizeof(err)), 0);
    assert_int_equal(c.media_port_min, 40000);
    assert_int_equal(c.media_port_max, 49999);
    assert_int_equal(config_set(&c, "LOG_FORMAT", "json", err, sizeof(err)), 0);
    assert_int_equal(c.log_format, LOG_JSON);
    assert_int_equal(config_set(&c, "MEDIA_BIND", "10.0.0.1,10.0.0.2", err, sizeof(err)), 0);
    assert_string_equal(c.media_bind[1], "10.0.0.2");
    config_clear(&c);
}

static void test_wrong_values(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } wrong[] = {
        {"PORT", "abc"},          {"PORT", "70000"},
        {"PORT", "-1"},           {"PORT", "30 01"},
        {"ICE_LITE", "maybe"},    {"MEDIA_PORTS", "500-40"},
        {"MEDIA_PORTS", "5000"},  {"LOG_LEVEL", "loud"},
        {"TURN_SERVERS", "turn"}, {"TURN_SERVERS", "[{}]"},
        {"STUN_SERVERS", "[1]"},  {"MAX_PARTICIPANTS", "0"},
        {"POTR", "3001"},         {"STUN_SERVERS", "{\"a\":1}"},
    };
    struct config c;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        start(&c);
        assert_int_not_equal(config_set(&c, wrong[i].key, wrong[i].value, err, sizeof(err)), 0);
        assert_ptr_equal(strstr(err, wrong[i].key), err);
        config_clear(&c);
    }
}

static void test_wrong_together(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *named;
    } wrong[] = {
        {"TLS_CERT", "cert.pem", "TLS_KEY"},
        {"TLS_KEY", "key.pem", "TLS_CERT"},
        {"TURN_SECRET", "s", "TURN_URLS"},
        {"TURN_URLS", "turn:a", "TURN_SECRET"},
        {"BIND", "0.0.0.0", "BIND"},
        {"BIND", "::", "BIND"},
        {"APP_DOMAIN", "example.org", "APP_DOMAIN"},
        {"FRONTEND_URL", "*", "FRONTEND_URL"},
        {"FRONTEND_URL", "https://a.org/path", "FRONTEND_URL"},
        {"FRONTEND_URL", "https://a.org,https://", "FRONTEND_URL"},
        {"MEDIA_STUN", "stun.example.org", "MEDIA_STUN"},
        {"WEBHOOK_URL", "https://a.org/hook", "WEBHOOK_SECRET"},
    };
    struct config c;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        start(&c);
        assert_int_equal(config_set(&c, wrong[i].key, wrong[i].value, err, sizeof(err)), 0);
        assert_int_not_equal(config_check(&c, err, sizeof(err)), 0);
        assert_ptr_equal(strstr(err, wrong[i].named), err);
        config_clear(&c);
    }
}

// What is told of patients leaves this machine encrypted and signed.
static void test_webhooks(void **state)
{
    (void)state;
    static const char *const good[] = {"https://a.org/hook", "http://localhost:1/x", "http://127.0.0.1/x",
                                       "[\"http://[::1]:80/x\"]", "https://a.org,https://b.org"};
    static const char *const bad[] = {"http://a.org/",     "http://localhost.a.org/",
                                      "http://127.a.org/", "http://127.0.0.1@a.org",
                                      "ftp://localhost/",  "a.org",
                                      "https://",          "https://a.org,http://b.org"};
    struct config c;
    start(&c);
    config_set(&c, "WEBHOOK_SECRET", "0123456789abcdef", err, sizeof(err));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        config_set(&c, "WEBHOOK_URL", good[i], err, sizeof(err));
        assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        config_set(&c, "WEBHOOK_URL", bad[i], err, sizeof(err));
        assert_int_not_equal(config_check(&c, err, sizeof(err)), 0);
        assert_ptr_equal(strstr(err, "WEBHOOK_URL"), err);
    }
    config_set(&c, "WEBHOOK_INSECURE", "true", err, sizeof(err));
    config_set(&c, "WEBHOOK_URL", "http://a.org/", err, sizeof(err));
    assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    config_set(&c, "WEBHOOK_SECRET", "short", err, sizeof(err));
    assert_int_not_equal(config_check(&c, err, sizeof(err)), 0);
    config_clear(&c);
}

// Open mode serves loopback only and says why; with a key any address is fine.
static void test_open_mode_binds_loopback(void **state)
{
    (void)state;
    struct config c;
    start(&c);
    config_set(&c, "BIND", "192.168.1.5", err, sizeof(err));
    assert_int_not_equal(config_check(&c, err, sizeof(err)), 0);
    assert_non_null(strstr(err, "JWT_SECRET"));
    config_set(&c, "JWT_SECRET", "0123456789abcdef0123456789abcdef", err, sizeof(err));
    assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    assert_string_equal(c.bind, "192.168.1.5");
    config_set(&c, "JWT_PUBLIC_KEY", "x", err, sizeof(err));
    assert_int_not_equal(config_check(&c, err, sizeof(err)), 0);
    config_clear(&c);
    start(&c);
    config_set(&c, "BIND", "localhost", err, sizeof(err));
    assert_int_equal(config_check(&c, err, sizeof(err)), 0);
    assert_string_equal(c.bind, "127.0.0.1");
    config_clear(&c);
}

static int read_text(struct config *c, const char *text)
{
    char path[] = "/tmp/roda-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    start(c);
    int rc = config_read_file(c, path, err, sizeof(err));
    unlink(path);
    return rc;
}

static void test_file(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(read_text(&c, "{\"PORT\": 4000, \"ICE_LITE\": true, \"BIND\": null, \"WORKERS\": \"3\","
                                   " \"STUN_SERVERS\": [\"stun:a\"], \"TURN_SERVERS\": [{\"urls\": [\"turn:b\"]}]}"),
                     0);
    char *const environment[] = {(char *)"PORT=4001", NULL};
    assert_int_equal(c.port, 4000);
    assert_int_equal(config_read_environment(&c, environment, err, sizeof(err)), 0);
    assert_int_equal(c.port, 4001);
    assert_true(c.ice_lite);
    assert_int_equal(c.workers, 3);
    assert_string_equal(c.stun_servers[0], "stun:a");
    assert_int_equal(json_array_size(c.turn_servers), 1);
    config_clear(&c);

    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"{\"PORTS\": 1}", "PORTS"}, {"{\"PORT\": true}", "PORT"},           {"[1]", "not a JSON object"},
        {"{\"PORT\": ", "line"},     {"{\"PORT\": 1, \"PORT\": 2}", "line"}, {"", "line"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_int_not_equal(read_text(&c, wrong[i].text), 0);
        assert_non_null(strstr(err, wrong[i].says));
        config_clear(&c);
    }
    start(&c);
    assert_int_not_equal(config_read_file(&c, "/nonexistent.json", err, sizeof(err)), 0);
    assert_non_null(strstr(err, "/nonexistent.json"));
    config_clear(&c);
}

static void test_help_names_every_key(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_print_help(out);
    fclose(out);
    static const char *const keys[] = {"PORT",          "BIND",         "FRONTEND_URL",   "APP_DOMAIN",
                                       "STUN_SERVERS",  "TURN_SERVERS", "JWT_PUBLIC_KEY", "REDIS_URL",
                                       "CIPHER_ENGINE", "MAX_ROOMS"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        assert_non_null(strstr(text, keys[i]));
    assert_non_null(strstr(text, "[3001]"));
    free(text);
}

// ---- every setting ------------------------------------------------------------------------------------------

// What the kind of a setting does not tell by itself. A TEXT that is in neither column takes any text.
static const struct {
    const char *key, *value;
    bool is_fine;
} rows[] = {
    {"BIND", "127.0.0.1", true},
    {"BIND", "::1", true},
    {"BIND", "localhost", true},
    {"BIND", "127.0.0.1:80", false},
    {"BIND", "everywhere", false},
    {"APP_DOMAIN", "https://a.example", true},
    {"APP_DOMAIN", "a.example", false},
    {"WEB_DIR", "/", true},
    {"WEB_DIR", "/nonexistent/folder", false},
    {"FRONTEND_URL", "https://a.example:8443", true},
    {"FRONTEND_URL", "a.example", false},
    {"STUN_SERVERS", "stun:a.example", true},
    {"STUN_SERVERS", "[\"stun:a.example:3478\",\"stuns:[2001:db8::1]:5349\"]", true},
    {"STUN_SERVERS", "turn:a.example:3478", false},
    {"STUN_SERVERS", "stun:a.example:0", false},
    {"STUN_SERVERS", "stun:a.example:70000", false},
    {"STUN_SERVERS", "stun:a.example?transport=udp", false},
    {"STUN_SERVERS", "stun:", false},
    {"TURN_SERVERS", "[{\"urls\":[\"turn:a.example:3478?transport=tcp\"]}]", true},
    {"TURN_SERVERS", "[{\"urls\":\"turns:a.example\"},{\"urls\":\"stun:a.example\"}]", true},
    {"TURN_SERVERS", "[{\"urls\":\"http://a.example\"}]", false},
    {"TURN_SERVERS", "[{\"urls\":[\"turn:a.example\",7]}]", false},
    {"TURN_SERVERS", "[{\"username\":\"a\"}]", false},
    {"TURN_URLS", "turn:a.example:3478?transport=sctp", false},
    {"TURN_URLS", "stun:a.example", false},
    {"MEDIA_BIND", "192.0.2.1,2001:db8::1", true},
    {"MEDIA_BIND", "192.0.2.1,eth0", false},
    {"MEDIA_STUN", "stun.example:3478", true},
    {"MEDIA_STUN", "stun.example", false},
    {"MEDIA_STUN", "stun.example:port", false},
    {"ANNOUNCED_ADDRESS", "203.0.113.7", true},
    {"ANNOUNCED_ADDRESS", "call.example", false},
    {"CIPHER_ENGINE", "libsrtp", true},
    {"CIPHER_ENGINE", "none", false},
    {"JWT_SECRET", "0123456789abcdef0123456789abcdef", true},
    {"JWT_SECRET", "0123456789abcdef0123456789abcde", false},
    {"METRICS_TOKEN", "12345678", true},
    {"METRICS_TOKEN", "1234567", false},
    {"METRICS_TOKEN", "with a space", false},
    {"MEDIA_PORTS", "1-65535", true},
    {"MEDIA_PORTS", "40000-40000", true},
    {"MEDIA_PORTS", "0-100", false},
    {"MEDIA_PORTS", "40000-65536", false},
    {"MEDIA_PORTS", "40001-40000", false},
};

// Whether the value is taken; a fault must name the key. Those of `rows` are also asked whether they go together with
// everything else unset.
static bool is_taken(const char *key, const char *value, bool is_row)
{
    struct config c;
    start(&c);
    bool ok = config_set(&c, key, value, err, sizeof(err)) == 0;
    ok = ok && (!is_row || config_check(&c, err, sizeof(err)) == 0);
    if (!ok && !g_str_has_prefix(err, key))
        fail_msg("%s=%s: %s", key, value, err);
    config_clear(&c);
    return ok;
}

static void expect_of(const char *key, const char *value, bool is_fine, bool is_row)
{
    if (is_taken(key, value, is_row) != is_fine)
        fail_msg("%s=%s is %s: %s", key, value, is_fine ? "refused" : "taken", err);
}

static void expect(const char *key, const char *value, bool is_fine)
{
    expect_of(key, value, is_fine, false);
}

static void expect_number(const struct config_row *row, int64_t value, bool is_fine)
{
    char text[24];
    g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, value);
    expect(row->key, text, is_fine);
}

static void check_number(const struct config_row *row)
{
    static const char *const odd[] = {
        "x", "1x", " 1 2", "1.5", "1e3", "0x10", "99999999999999999999", "-99999999999999999999"};
    assert_true(row->min < row->max);
    expect_number(row, row->min, true);
    expect_number(row, row->max, true);
    expect_number(row, row->min - 1, false);
    expect_number(row, row->max + 1, false);
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        expect(row->key, odd[i], false);
}

static void check_choice(const struct config_row *row)
{
    char **words = g_strsplit(row->choices, "|", -1);
    for (char **word = words; *word; word++) {
        char *longer = g_strconcat(*word, "x", NULL);
        expect(row->key, *word, true);
        expect(row->key, longer, false);
        g_free(longer);
    }
    expect(row->key, row->choices, false);
    g_strfreev(words);
}

static void check_flag(const struct config_row *row)
{
    static const char *const fine[] = {"true", "false", "1", "0", "yes", "no", "on", "off"}, *const odd[] = {
                                                                                                 "2", "TRUE!", "ja"};
    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++)
        expect(row->key, fine[i], true);
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        expect(row->key, odd[i], false);
}

static void test_every_setting(void **state)
{
    (void)state;
    struct config_row row;
    for (size_t i = 0; config_describe(i, &row); i++) {
        assert_true(strspn(row.key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(row.key));
        assert_true(strlen(row.help) > 5);
        expect(row.key, "", true); // an empty value is no value
        if (strcmp(row.type, "number") == 0)
            check_number(&row);
        else if (strcmp(row.type, "choice") == 0)
            check_choice(&row);
        else if (strcmp(row.type, "flag") == 0)
            check_flag(&row);
        else if (strcmp(row.type, "list") == 0)
            expect(row.key, "{\"a\":1}", false);
        else if (strcmp(row.type, "objects") == 0)
            expect(row.key, "[1]", false);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool needs_other = strcmp(rows[i].key, "TURN_URLS") == 0; // TURN_SECRET
        if (!needs_other)
            expect_of(rows[i].key, rows[i].value, rows[i].is_fine, true);
    }
}

static void test_turn_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct config c;
        if (strcmp(rows[i].key, "TURN_URLS") != 0)
            continue;
        start(&c);
        assert_int_equal(config_set(&c, "TURN_SECRET", "s", err, sizeof(err)), 0);
        assert_int_equal(config_set(&c, "TURN_URLS", rows[i].value, err, sizeof(err)), 0);
        assert_int_equal(config_check(&c, err, sizeof(err)) == 0, rows[i].is_fine);
        config_clear(&c);
    }
}

static void test_what_is_in_force_is_shown_without_secrets(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct config c;
    struct config_row row;
    FILE *out = open_memstream(&text, &size);
    start(&c);
    for (size_t i = 0; config_describe(i, &row); i++)
        if (g_str_has_suffix(row.key, "_SECRET") || g_str_has_suffix(row.key, "_TOKEN") ||
            g_str_has_suffix(row.key, "_PASSWORD"))
            assert_int_equal(config_set(&c, row.key, "hush-hush-hush", err, sizeof(err)), 0);
    config_set(&c, "TURN_SERVERS",
               "[{\"urls\":\"turn:a\",\"username\":\"u\",\"credential\":\"hush\"},{\"urls\":\"turn:b\",\"secret\":"
               "\"hush-hush\"}]",
               err, sizeof(err));
    config_set(&c, "REDIS_URL", "redis://u:hush@db/0", err, sizeof(err));
    config_set(&c, "JWT_PUBLIC_KEY", "-----BEGIN PRIVATE KEY-----hush", err, sizeof(err));
    config_set(&c, "MEDIA_PORTS", "40000-40010", err, sizeof(err));
    config_set(&c, "STUN_SERVERS", "stun:a,stun:b", err, sizeof(err));
    config_print(&c, out);
    fclose(out);
    assert_null(strstr(text, "hush"));
    static const char *const lines[] = {"PORT=3001\n",
                                        "JWT_SECRET=***\n",
                                        "ICE_LITE=false\n",
                                        "LOG_LEVEL=info\n",
                                        "BIND=\n",
                                        "MEDIA_PORTS=40000-40010\n",
                                        "STUN_SERVERS=[\"stun:a\",\"stun:b\"]\n",
                                        "REDIS_URL=redis://u:***@db/0\n",
                                        "\"credential\":\"***\""};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_non_null(strstr(text, lines[i]));
    for (size_t i = 0; config_describe(i, &row); i++)
        assert_non_null(strstr(text, row.key));
    free(text);
    config_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_seed_environment),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_together),
        cmocka_unit_test(test_open_mode_binds_loopback),
        cmocka_unit_test(test_every_setting),
        cmocka_unit_test(test_turn_urls),
        cmocka_unit_test(test_what_is_in_force_is_shown_without_secrets),
        cmocka_unit_test(test_webhooks),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_help_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
