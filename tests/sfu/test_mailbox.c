// Does every letter arrive once, in its writer's order, and wake the reader?
// SPDX-License-Identifier: MIT
#include "sfu/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WRITERS = 4, EACH = 20000 };

struct letter {
    struct mail mail;
    unsigned writer, number;
};

static bool is_readable(const struct mailbox *box)
{
    struct pollfd pfd = {.fd = box->fd, .events = POLLIN};
    return poll(&pfd, 1, 0) == 1;
}

static void letters_come_in_order(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter letters[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    mailbox_init(&box, NULL, NULL);
    assert_null(mailbox_take(&box));
    assert_false(is_readable(&box));
    for (unsigned i = 0; i < 3; i++)
        mailbox_post(&box, &letters[i].mail);
    assert_true(is_readable(&box));
    struct mail *mail = mailbox_take(&box);
    for (unsigned i = 0; i < 3; i++, mail = mail->next)
        assert_ptr_equal(mail, &letters[i].mail);
    assert_null(mail);
    assert_false(is_readable(&box));
    assert_null(mailbox_take(&box));
    mailbox_close(&box);
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void only_the_first_letter_wakes(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter letters[3];
    unsigned woken = 0;
    mailbox_init(&box, count, &woken);
    assert_int_equal(box.fd, -1);
    mailbox_post(&box, &letters[0].mail);
    mailbox_post(&box, &letters[1].mail);
    assert_int_equal(woken, 1);
    assert_non_null(mailbox_take(&box));
    mailbox_post(&box, &letters[2].mail);
    assert_int_equal(woken, 2);
    assert_non_null(mailbox_take(&box));
    mailbox_close(&box);
}

struct writer {
    struct mailbox *box;
    unsigned number;
};

static void *write_letters(void *arg)
{
    struct writer *writer = arg;
    for (unsigned i = 0; i < EACH; i++) {
        struct letter *letter = malloc(sizeof(*letter));
        if (!letter)
            abort();
        *letter = (struct letter){.writer = writer->number, .number = i};
        mailbox_post(writer->box, &letter->mail);
    }
    return NULL;
}

static void writers_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct mailbox box;
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    unsigned next[WRITERS] = {0}, got = 0;
    mailbox_init(&box, NULL, NULL);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){&box, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_letters, &writers[i]), 0);
    }
    while (got < WRITERS * EACH) {
        struct pollfd pfd = {.fd = box.fd, .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 10000), 1); // a lost wake-up would end here
        for (struct mail *mail = mailbox_take(&box), *after; mail; mail = after) {
            struct letter *letter = (struct letter *)mail;
            after = mail->next;
            assert_int_equal(letter->number, next[letter->writer]);
            next[letter->writer]++;
            got++;
            free(letter);
        }
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    assert_null(mailbox_take(&box));
    mailbox_close(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_come_in_order),
        cmocka_unit_test(only_the_first_letter_wakes),
        cmocka_unit_test(writers_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
