// Is every documented name understood on every session, and every session answered in its own?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "signaling/commands.h"
#include "signaling/dialect.h"

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(dialect_find("signal"), &dialect_signal);
    assert_ptr_equal(dialect_find("live"), &dialect_live);
    assert_null(dialect_find("Live"));
    assert_null(dialect_find(""));
}

static void test_guess(void **state)
{
    (void)state;
    assert_ptr_equal(dialect_guess("join-room"), &dialect_signal);
    assert_ptr_equal(dialect_guess("offer"), &dialect_signal);
    assert_ptr_equal(dialect_guess("CALL_INITIATE"), &dialect_call);
    assert_ptr_equal(dialect_guess("WEBRTC_OFFER"), &dialect_call);
    assert_ptr_equal(dialect_guess("webrtc:call"), &dialect_webrtc);
    assert_ptr_equal(dialect_guess("nonsense"), &dialect_signal);
}

// Every wire name of a table leads to a command that exists.
static void test_tables_lead_somewhere(void **state)
{
    (void)state;
    static const struct dialect *const all[] = {&dialect_signal, &dialect_live, &dialect_call, &dialect_webrtc};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        for (const struct dialect_name *row = all[i]->commands; row->wire; row++)
            assert_true(command_exists(row->model));
}

// What the documents 000, 002 and 003 name.
static void test_documented_names(void **state)
{
    (void)state;
    static const char *const names[] = {"join-room",
                                        "signal-offer",
                                        "signal-answer",
                                        "ice-candidate",
                                        "offer",
                                        "answer",
                                        "ice",
                                        "heartbeat",
                                        "leave-room",
                                        "mute-participant",
                                        "remove-participant",
                                        "close-room",
                                        "media-update",
                                        "chat-message",
                                        "select-layer",
                                        "recording-start",
                                        "recording-stop"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        json_t *data = json_object();
        assert_true(command_exists(dialect_read(names[i], data)));
        json_decref(data);
    }
    json_t *data = json_object();
    assert_false(command_exists(dialect_read("no-such-event", data)));
    json_decref(data);
}

static void test_write(void **state)
{
    (void)state;
    json_t *data = json_object();
    assert_string_equal(dialect_write(&dialect_signal, "signal-offer", &data), "signal-offer");
    assert_string_equal(dialect_write(&dialect_live, "signal-offer", &data), "offer");
    assert_string_equal(dialect_write(&dialect_live, "signal-answer", &data), "answer");
    assert_string_equal(dialect_write(&dialect_live, "ice-candidate", &data), "ice");
    assert_string_equal(dialect_write(&dialect_live, "user-connected", &data), "user-connected");
    json_decref(data);
}

// A dialect with other field names, as the tables to come will have them.
static void test_fields(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"X_", NULL};
    static const struct dialect_field fields[] = {{"from", "fromUserId", NULL}, {"sdp", "offer", "offer"}, {0}};
    static const struct dialect_name names[] = {{"signal-offer", "X_OFFER", fields}, {0}};
    static const struct dialect other = {"other", prefixes, names, names};
    json_t *data = json_pack("{s:s, s:s, s:i}", "from", "sfu", "sdp", "v=0", "extra", 1);
    json_t *shared = json_incref(data);
    assert_string_equal(dialect_write(&other, "signal-offer", &data), "X_OFFER");
    assert_string_equal(json_string_value(json_object_get(data, "fromUserId")), "sfu");
    const json_t *offer = json_object_get(data, "offer"); // a bare text becomes a description
    assert_string_equal(json_string_value(json_object_get(offer, "sdp")), "v=0");
    assert_string_equal(json_string_value(json_object_get(offer, "type")), "offer");
    assert_null(json_object_get(data, "sdp"));
    assert_non_null(json_object_get(data, "extra"));
    assert_non_null(json_object_get(shared, "sdp")); // others still hold the original
    json_decref(data);
    json_decref(shared);
}

// Client to server: the document's names become the model's, and a field that is there twice keeps the model's.
static void test_read(void **state)
{
    (void)state;
    json_t *data = json_pack("{s:s, s:s, s:s}", "targetUserId", "bob", "offer", "v=0", "sdp", "v=1");
    assert_string_equal(dialect_read("WEBRTC_OFFER", data), "signal-offer");
    assert_string_equal(json_string_value(json_object_get(data, "target")), "bob");
    assert_string_equal(json_string_value(json_object_get(data, "sdp")), "v=1");
    assert_int_equal(json_object_size(data), 2);
    assert_string_equal(dialect_field_name("WEBRTC_OFFER", "sdp"), "offer");
    assert_string_equal(dialect_field_name("webrtc:offer", "target"), "to");
    assert_string_equal(dialect_field_name("webrtc:offer", "sdp"), "sdp");
    assert_string_equal(dialect_field_name("nonsense", "sdp"), "sdp");
    json_decref(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_tables_lead_somewhere),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_documented_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
