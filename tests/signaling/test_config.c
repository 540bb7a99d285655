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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_seed_environment),
        cmocka_unit_test(test_every_type),     cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_together), cmocka_unit_test(test_open_mode_binds_loopback),
        cmocka_unit_test(test_file),           cmocka_unit_test(test_help_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
