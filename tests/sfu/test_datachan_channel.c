// Are channels found, bounded, and their messages put together?
// SPDX-License-Identifier: MIT
#include "sfu/datachan_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct dcep named(const char *label, const char *protocol)
{
    struct dcep open = {.type = DCEP_OPEN};
    snprintf(open.label, sizeof(open.label), "%s", label);
    snprintf(open.protocol, sizeof(open.protocol), "%s", protocol);
    return open;
}

static void channels_are_found_by_stream_and_name(void **state)
{
    (void)state;
    struct channels channels = {0};
    struct dcep chat = named("chat", ""), json = named("chat", "json");
    struct channel *a = channels_add(&channels, 0, &chat), *b = channels_add(&channels, 7, &json);
    assert_ptr_equal(channels_find(&channels, 0), a);
    assert_ptr_equal(channels_find(&channels, 7), b);
    assert_null(channels_find(&channels, 1));
    assert_ptr_equal(channels_find_name(&channels, "chat", "json"), b);
    assert_null(channels_find_name(&channels, "json", "chat"));
    assert_null(channels_add(&channels, 7, &chat)); // the stream is taken
    channel_remove(a);
    assert_null(channels_find(&channels, 0));
    channels_clear(&channels);
    assert_null(channels_find(&channels, 7));
}

static void there_is_room_for_so_many(void **state)
{
    (void)state;
    struct channels channels = {0};
    struct dcep chat = named("chat", "");
    for (uint16_t sid = 0; sid < DATACHAN_CHANNEL_MAX; sid++)
        assert_non_null(channels_add(&channels, sid, &chat));
    assert_null(channels_add(&channels, 1000, &chat));
    channel_remove(channels_find(&channels, 3));
    assert_non_null(channels_add(&channels, 1000, &chat));
    channels_clear(&channels);
}

static void pieces_become_messages(void **state)
{
    (void)state;
    struct channels channels = {0};
    struct dcep chat = named("chat", "");
    struct channel *c = channels_add(&channels, 0, &chat);
    const uint8_t *message, *abc = (const uint8_t *)"abcdef";
    size_t len;
    assert_true(channel_assemble(c, abc, 6, true, &message, &len));
    assert_ptr_equal(message, abc); // in one piece it is not copied
    assert_int_equal(len, 6);
    assert_false(channel_assemble(c, abc, 2, false, &message, &len));
    assert_false(channel_assemble(c, abc + 2, 0, false, &message, &len));
    assert_false(channel_assemble(c, abc + 2, 3, false, &message, &len));
    assert_true(channel_assemble(c, abc + 5, 1, true, &message, &len));
    assert_int_equal(len, 6);
    assert_memory_equal(message, "abcdef", 6);
    assert_true(channel_assemble(c, abc, 1, true, &message, &len));
    assert_int_equal(len, 1);
    assert_false(channel_assemble(c, abc, 2, false, &message, &len)); // freed with the channel
    channels_clear(&channels);
}

static void too_long_is_thrown_away_to_its_end(void **state)
{
    (void)state;
    static uint8_t block[DATACHAN_MESSAGE_MAX];
    struct channels channels = {0};
    struct dcep chat = named("chat", "");
    struct channel *c = channels_add(&channels, 0, &chat);
    const uint8_t *message;
    size_t len;
    assert_false(channel_assemble(c, block, sizeof(block), false, &message, &len));
    assert_true(channel_assemble(c, block, 0, true, &message, &len)); // just so
    assert_int_equal(len, DATACHAN_MESSAGE_MAX);
    assert_false(channel_assemble(c, block, sizeof(block), false, &message, &len));
    assert_false(channel_assemble(c, block, 1, false, &message, &len));
    assert_null(c->partial);
    assert_false(channel_assemble(c, block, 1, false, &message, &len));
    assert_false(channel_assemble(c, block, 1, true, &message, &len));
    assert_true(channel_assemble(c, block, 1, true, &message, &len)); // the next is a new one
    channels_clear(&channels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_found_by_stream_and_name),
        cmocka_unit_test(there_is_room_for_so_many),
        cmocka_unit_test(pieces_become_messages),
        cmocka_unit_test(too_long_is_thrown_away_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
