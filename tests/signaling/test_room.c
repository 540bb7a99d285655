// Does the roster find who is there, count them, and remember who was sent away?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/room.h"

static void test_counting(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster, NULL);
    struct room *room = roster_add(&roster, "r", 5, 1000);
    assert_ptr_equal(roster_find(&roster, "r"), room);
    assert_null(roster_find(&roster, "R"));
    struct participant *ana = participant_add(room, "ana", "Ana", ROLE_PARTICIPANT);
    struct participant *bob = participant_add(room, "bob", "Bob", ROLE_HOST);
    assert_int_equal(roster.participant_count, 2);
    assert_ptr_equal(room_find(room, "bob"), bob);
    assert_null(room_find(room, "carl"));
    assert_ptr_equal(room_find_token(room, ana->session_token), ana);
    assert_string_not_equal(ana->session_token, bob->session_token);
    assert_null(room_find_token(room, ""));
    participant_free(ana, 7);
    participant_free(bob, 8);
    assert_int_equal(room->empty_since_us, 8);
    assert_int_equal(roster.participant_count, 0);
    room_free(room);
    assert_int_equal(roster_room_count(&roster), 0);
    roster_clear(&roster);
}

static void test_host(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster, NULL);
    struct room *room = roster_add(&roster, "r", 0, 0);
    struct participant *people[3];
    for (int i = 0; i < 3; i++) {
        char user[2] = {(char)('a' + i), '\0'};
        people[i] = participant_add(room, user, user, ROLE_PARTICIPANT);
    }
    assert_null(room_host(room));
    people[0]->role = ROLE_HOST;
    people[0]->is_host_by_default = true;
    assert_ptr_equal(room_host(room), people[0]);
    people[2]->role = ROLE_HOST;
    assert_ptr_equal(room_host(room), people[2]); // by right goes before by default
    people[1]->role = ROLE_HOST;
    assert_ptr_equal(room_host(room), people[1]); // longest here
    for (int i = 0; i < 3; i++)
        participant_free(people[i], 0);
    room_free(room);
    roster_clear(&roster);
}

static void test_ended_tokens(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster, NULL);
    assert_int_equal(roster_token_end(&roster, ""), ERROR_NONE);
    roster_end_token(&roster, "first", ERROR_FORBIDDEN);
    assert_int_equal(roster_token_end(&roster, "first"), ERROR_FORBIDDEN);
    assert_int_equal(roster_token_end(&roster, ""), ERROR_NONE);
    for (int i = 0; i < ENDED_MAX; i++) {
        char token[16];
        g_snprintf(token, sizeof(token), "t%d", i);
        roster_end_token(&roster, token, ERROR_ROOM_CLOSED);
    }
    assert_int_equal(roster_token_end(&roster, "first"), ERROR_NONE); // overwritten
    assert_int_equal(roster_token_end(&roster, "t0"), ERROR_ROOM_CLOSED);
    roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_ended_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
