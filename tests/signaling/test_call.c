// Does a call become what protocol.md section 6 says, whatever happens to its members in which order?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/call.h"

static const int64_t S = 1000000;

static struct moment at(double seconds)
{
    return (struct moment){(int64_t)(seconds * 1e6) + S, (int64_t)(seconds * 1e3) + 1};
}

// A call of ana that rings for bob, carl, ... until 45 s.
static struct call *ringing(const char *const *users)
{
    struct call *call = call_new(CALL_VIDEO, "ana", "Ana", NULL, at(0));
    for (; *users; users++)
        call_invite(call, *users, NULL, NULL, 45 * S, at(0));
    assert_false(call_settle(call, NULL, NULL, at(0)));
    return call;
}

// What happens, in one letter: the member's initial and j(oin), c(onnect), x (not connected), l(eave), d(ecline),
// b(usy), m(iss), i(nvite); e.g. "bj" bob joins.
static void happen(struct call *call, const char *what, struct moment now)
{
    static const char *const users[] = {"ana", "bob", "carl", "dora"};
    const char *user = users[what[0] - 'a'];
    struct call_member *member = call_find(call, user);
    switch (what[1]) {
    case 'j':
        return call_member_join(call, member, now);
    case 'c':
        return call_member_connected(call, member, true, now);
    case 'x':
        return call_member_connected(call, member, false, now);
    case 'l':
        return call_member_out(call, member, MEMBER_LEFT, "left", now);
    case 'd':
        return call_member_out(call, member, MEMBER_DECLINED, NULL, now);
    case 'b':
        return call_member_out(call, member, MEMBER_BUSY, NULL, now);
    case 'm':
        return call_member_out(call, member, MEMBER_MISSED, NULL, now);
    default:
        call_invite(call, user, NULL, NULL, 45 * S, now);
    }
}

struct story {
    const char *callees; // initials
    const char *what;    // see above, one second each
    enum call_status status;
    int64_t duration_s; // when it is over
    const char *reason; // NULL: not over
};

static const struct story stories[] = {
    {"b", "", CALL_RINGING, 0, NULL},
    {"b", "bj", CALL_CONNECTING, 0, NULL},
    {"b", "bj bc", CALL_CONNECTING, 0, NULL},
    {"b", "bj bc ac", CALL_CONNECTED, 0, NULL},
    {"b", "bj ac ax bc", CALL_CONNECTING, 0, NULL},
    {"b", "bj bc ac bl", CALL_ENDED, 1, "left"},
    {"b", "bj bc ac bx al", CALL_ENDED, 2, "left"}, // media that fails does not end it
    {"b", "bj bl", CALL_ENDED, 0, "left"},
    {"b", "bj al", CALL_ENDED, 0, "left"},
    {"b", "bd", CALL_DECLINED, 0, "declined"},
    {"b", "bb", CALL_BUSY, 0, "busy"},
    {"b", "bm", CALL_MISSED, 0, "no-answer"},
    {"b", "al", CALL_MISSED, 0, "cancelled"},
    {"b", "bl", CALL_MISSED, 0, "no-answer"}, // the invitation was taken back
    {"bc", "bd", CALL_RINGING, 0, NULL},
    {"bc", "bd cd", CALL_DECLINED, 0, "declined"},
    {"bc", "bb cb", CALL_BUSY, 0, "busy"},
    {"bc", "bb cd", CALL_DECLINED, 0, "declined"},
    {"bc", "bb cm", CALL_MISSED, 0, "no-answer"},
    {"bc", "bd cm", CALL_MISSED, 0, "no-answer"},
    {"bc", "bb cj", CALL_CONNECTING, 0, NULL},
    {"bc", "bd cj cc ac", CALL_CONNECTED, 0, NULL},
    {"bc", "bj bc ac bl", CALL_CONNECTED, 0, NULL},             // carl still rings
    {"bc", "bj bc ac bl cd", CALL_ENDED, 2, "left"},            // not any more
    {"bc", "bj bc ac bl cj", CALL_CONNECTED, 0, NULL},          // comes
    {"bc", "bj cj ac cc bl", CALL_CONNECTED, 0, NULL},          // two are left
    {"bc", "bj cj ac cc bl al", CALL_ENDED, 2, "left"},         // one
    {"bc", "bj bl al", CALL_ENDED, 0, "left"},                  // nobody is there to answer carl
    {"bc", "bj bl", CALL_CONNECTING, 0, NULL},                  // carl still rings
    {"bc", "bj al", CALL_CONNECTING, 0, NULL},                  // the initiator may go
    {"bc", "al", CALL_MISSED, 0, "cancelled"},                  // but not before anybody came
    {"b", "bj bc ac ci cj bl al", CALL_ENDED, 4, "left"},       // one more was added
    {"b", "bj bc ac ci bl", CALL_CONNECTED, 0, NULL},           // and rings
    {"bc", "bj bc ac cj bl bi bj al cl", CALL_ENDED, 6, "left"} // one came back
};

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(stories); i++) {
        const struct story *story = &stories[i];
        const char *const users[] = {"bob", story->callees[1] ? "carl" : NULL, NULL};
        struct call *call = ringing(users);
        double second = 0;
        for (const char *what = story->what; *what; what += what[2] ? 3 : 2) {
            assert_false(call_is_over(call));
            happen(call, what, at(++second));
            enum call_status before = call->status;
            assert_true(call_settle(call, NULL, NULL, at(second)) == (call->status != before));
            assert_false(call_settle(call, NULL, NULL, at(second)));
        }
        if (call->status != story->status || (story->reason && call->duration_s != story->duration_s))
            fail_msg("%s: %s: %s, %d s", story->callees, story->what, call_status_name(call->status),
                     (int)call->duration_s);
        assert_true(call_is_over(call) == (story->reason != NULL));
        assert_string_equal(call->reason ? call->reason : "", story->reason ? story->reason : "");
        assert_true((call->ended_ms != 0) == call_is_over(call));
        call_free(call);
    }
}

static void test_ringing_out(void **state)
{
    (void)state;
    const char *const users[] = {"bob", "carl", NULL};
    struct call *call = ringing(users);
    call_find(call, "carl")->ring_until_us += S;
    assert_null(call_ring_out(call, at(44.9)));
    assert_ptr_equal(call_ring_out(call, at(45)), call_find(call, "bob"));
    assert_false(call_settle(call, NULL, NULL, at(45)));
    assert_null(call_ring_out(call, at(45)));
    assert_ptr_equal(call_ring_out(call, at(46)), call_find(call, "carl"));
    assert_true(call_settle(call, NULL, NULL, at(46)));
    assert_int_equal(call->status, CALL_MISSED);
    assert_int_equal(call_find(call, "bob")->status, MEMBER_MISSED);
    call_free(call);
}

static void test_time_to_connect(void **state)
{
    (void)state;
    const char *const users[] = {"bob", "carl", NULL};
    struct call *call = ringing(users);
    happen(call, "bj", at(1));
    call_settle(call, NULL, NULL, at(1));
    happen(call, "bl", at(20)); // alone again: the time stands still
    call_settle(call, NULL, NULL, at(20));
    assert_false(call_expire(call, at(40)));
    happen(call, "cj", at(41));
    call_settle(call, NULL, NULL, at(41));
    assert_false(call_expire(call, at(70.9)));
    assert_true(call_expire(call, at(71)));
    assert_int_equal(call->status, CALL_FAILED);
    assert_string_equal(call->reason, "connect-timeout");
    assert_true(call_find(call, "ana")->was_there);
    assert_false(call_find(call, "bob")->was_there);
    assert_false(call_expire(call, at(100)));
    call_free(call);
}

static void test_duration_in_whole_seconds(void **state)
{
    (void)state;
    const char *const users[] = {"bob", NULL};
    struct call *call = ringing(users);
    happen(call, "bj", at(10));
    call_settle(call, NULL, NULL, at(10));
    happen(call, "bc", at(11));
    happen(call, "ac", at(12));
    assert_true(call_settle(call, NULL, NULL, at(12)));
    assert_int_equal(call_duration_s(call, at(611.9)), 599);
    call_finish(call, call_end_status(call), "bob", "done", at(612));
    assert_int_equal(call->status, CALL_ENDED);
    assert_int_equal(call_duration_s(call, at(999)), 600);
    assert_string_equal(call->ended_by, "bob");
    assert_string_equal(call->reason, "done");
    assert_int_equal(call_find(call, "ana")->status, MEMBER_LEFT);
    assert_int_equal(call_find(call, "ana")->left_ms, at(612).ms);
    call_free(call);
}

// Made without anybody to call (HTTP): waits, then it is missed.
static void test_awaiting(void **state)
{
    (void)state;
    struct call *call = call_new(CALL_AUDIO, "ana", NULL, NULL, at(0));
    call->is_awaiting = true;
    call->await_until_us = at(100).us;
    assert_false(call_settle(call, NULL, NULL, at(1)));
    assert_false(call_expire(call, at(99)));
    call_invite(call, "bob", NULL, NULL, 45 * S, at(99));
    assert_false(call_expire(call, at(101))); // somebody is called now
    assert_false(call_find(call, "bob")->is_video_enabled);
    call_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),         cmocka_unit_test(test_ringing_out),
        cmocka_unit_test(test_time_to_connect), cmocka_unit_test(test_duration_in_whole_seconds),
        cmocka_unit_test(test_awaiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
