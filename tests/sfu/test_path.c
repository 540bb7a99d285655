// Does what is sent on a path come from its twin, and does what comes back reach the twin?
// SPDX-License-Identifier: MIT
#include "sfu/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

// A twin and the browser it talks to.
struct pair {
    int twin, browser;
    union sockaddr_any local, remote;
    struct path path;
};

static bool bind_to(const char *text, int *fd, union sockaddr_any *address)
{
    assert_true(address_parse(address, text));
    int one = 1;
    socklen_t len = address_len(address);
    *fd = socket(address->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return *fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 &&
           bind(*fd, &address->sa, len) == 0 && getsockname(*fd, &address->sa, &len) == 0;
}

static bool begin(struct pair *p, const char *local, const char *remote)
{
    *p = (struct pair){.twin = -1, .browser = -1};
    if (!bind_to(local, &p->twin, &p->local) || !bind_to(remote, &p->browser, &p->remote))
        return false;
    path_open(&p->path, p->twin, &p->local, &p->remote);
    return true;
}

static void end(struct pair *p)
{
    path_close(&p->path);
    close(p->twin);
    close(p->browser);
}

static void expect_from_twin(const struct pair *p, const char *text)
{
    char buf[16] = "";
    union sockaddr_any from = {.sa = {0}};
    socklen_t len = sizeof(from);
    assert_int_equal(path_send(&p->path, text, strlen(text)), 0);
    assert_int_equal(recvfrom(p->browser, buf, sizeof(buf), 0, &from.sa, &len), strlen(text));
    assert_string_equal(buf, text);
    assert_true(address_is_same(&from, &p->local));
}

static void expect_at_twin(const struct pair *p, const char *text)
{
    char buf[16] = "";
    assert_int_equal(sendto(p->browser, text, strlen(text), 0, &p->local.sa, address_len(&p->local)), strlen(text));
    assert_int_equal(recv(p->twin, buf, sizeof(buf), 0), strlen(text));
    assert_int_equal(recv(p->path.out_fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
}

static void the_sender_speaks_for_the_twin_and_hears_nothing(void **state)
{
    (void)state;
    struct pair p;
    assert_true(begin(&p, "127.0.0.1", "127.0.0.1"));
    assert_int_not_equal(p.path.out_fd, p.twin);
    expect_from_twin(&p, "there");
    expect_at_twin(&p, "back");
    end(&p);
}

static void so_it_is_with_ipv6(void **state)
{
    (void)state;
    struct pair p;
    if (!begin(&p, "::1", "::1")) {
        end(&p);
        skip(); // no IPv6 here
    }
    assert_int_not_equal(p.path.out_fd, p.twin);
    expect_from_twin(&p, "there");
    expect_at_twin(&p, "back");
    end(&p);
}

// The kernel would not choose this source by itself: then the twin sends.
static void a_second_address_of_the_interface_is_kept(void **state)
{
    (void)state;
    struct pair p;
    assert_true(begin(&p, "127.0.0.2", "127.0.0.1"));
    assert_int_equal(p.path.out_fd, p.twin);
    expect_from_twin(&p, "there");
    end(&p);
}

static void a_path_may_change_and_another_may_use_its_port(void **state)
{
    (void)state;
    struct pair first, second;
    union sockaddr_any elsewhere;
    int moved;
    assert_true(begin(&first, "127.0.0.1", "127.0.0.1"));
    assert_true(begin(&second, "127.0.0.1", "127.0.0.1"));
    path_close(&second.path);
    path_open(&second.path, first.twin, &first.local, &second.remote); // the same local port twice
    second.local = first.local;
    expect_from_twin(&first, "one");
    expect_from_twin(&second, "two");

    assert_true(bind_to("127.0.0.1", &moved, &elsewhere));
    path_close(&first.path);
    path_open(&first.path, first.twin, &first.local, &elsewhere);
    assert_int_equal(path_send(&first.path, "new", 3), 0);
    char buf[16] = "";
    assert_int_equal(recv(moved, buf, sizeof(buf), 0), 3);
    close(moved);
    end(&second);
    end(&first);
}

static void a_path_that_was_never_open_closes(void **state)
{
    (void)state;
    struct path path = {.fd = -1, .out_fd = -1};
    path_close(&path);
    path_close(&path);
    assert_int_equal(path.out_fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sender_speaks_for_the_twin_and_hears_nothing),
        cmocka_unit_test(so_it_is_with_ipv6),
        cmocka_unit_test(a_second_address_of_the_interface_is_kept),
        cmocka_unit_test(a_path_may_change_and_another_may_use_its_port),
        cmocka_unit_test(a_path_that_was_never_open_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
