// Does forwarding allocate? (it must not: every allocation of the process is counted here)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/sfu/rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static uint64_t allocations;

#ifndef SANITIZED
// glibc's own, behind the names that a program may replace.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    allocations++;
    return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    allocations++;
    return __libc_memalign(align, size);
}
#endif

enum { SUBS = 20, WARM_UP = 2000, PACKETS = 100000 };

// A publisher whose packets get lost, come late and again, with probes among them; receivers of different layers who
// ask for packets and key frames.
static void play(struct rig *rig, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        uint16_t seq = (uint16_t)i;
        if (i % 50 == 7)
            continue; // lost
        if (i % 50 == 17) {
            struct rig_packet probe = {.seq = seq, .ts = i * 3000u};
            rig_send(rig, &probe);
        } else {
            rig_vp8(rig, seq, (uint16_t)(i & 0x7fff), i % 4 ? i % 2 + 1 : 0, i % 300 == 0);
        }
        if (i % 50 == 12)
            rig_vp8(rig, (uint16_t)(i - 5), (uint16_t)((i - 5) & 0x7fff), 0, false); // late
        uint16_t out = (uint16_t)(rig->sub->timeline.newest.seq - 3);
        if (i % 20 == 0)
            rig_nack(rig, &out, 1);
        rig_tick(rig, 10000);
    }
}

static void forwarding_does_not_allocate(void **state)
{
    (void)state;
    struct rig rig;
#ifdef SANITIZED
    print_message("skipped: under a sanitizer each packet is an allocation on purpose\n");
    skip();
#endif
    rig_open(&rig, CODEC_VP8);
    for (unsigned i = 1; i < SUBS; i++)
        sub_set_layer(rig_subscribe(&rig), -1, (int)(i % 3), rig.now_us);
    play(&rig, 0, WARM_UP); // the pool takes its slabs as they are first needed
    uint64_t before = allocations;
    unsigned count = rig.count;
    assert_true(before > SUBS);
    play(&rig, WARM_UP, WARM_UP + PACKETS);
    assert_int_equal(allocations, before);
    assert_true(rig.count - count > PACKETS * SUBS / 3);
    assert_true(rig.sub->resent_packets > PACKETS / 100);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwarding_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
