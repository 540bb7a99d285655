// Do packets come from the pool and go back to it? (sfu/packet.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sfu/packet.h"

static void a_pool_is_bounded(void **state)
{
    (void)state;
    struct packet *packet[100];
    struct pool *pool = pool_new(100);
    for (unsigned i = 0; i < 100; i++) {
        packet[i] = packet_new(pool);
        assert_non_null(packet[i]);
        assert_int_equal((uintptr_t)packet[i]->buf % 16, 0);
        memset(packet[i]->buf, (int)i, PACKET_ROOM);
    }
    assert_null(packet_new(pool));
    assert_null(packet_new(pool));
    assert_int_equal(pool_exhausted(pool), 2);
    assert_int_equal(pool_in_use(pool), 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(packet[i]->buf[0], i);
        assert_int_equal(packet[i]->buf[PACKET_ROOM - 1], i);
        packet_unref(packet[i]);
    }
    assert_int_equal(pool_in_use(pool), 0);
    packet_unref(packet_new(pool));
    pool_free(pool);
}

static void references_count(void **state)
{
    (void)state;
    struct pool *pool = pool_new(1);
    struct packet *packet = packet_new(pool);
    assert_ptr_equal(packet_ref(packet), packet);
    packet_unref(packet);
    assert_int_equal(pool_in_use(pool), 1);
    assert_null(packet_new(pool));
    packet_unref(packet);
    assert_int_equal(pool_in_use(pool), 0);
    packet_unref(NULL);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_is_bounded),
        cmocka_unit_test(references_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
