// How do media and STUN on one port reach two threads?
// SPDX-License-Identifier: MIT
#include "sfu/ice_twin.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "sfu/ice.h"

enum {
    STUN_FIRST_BYTE_MAX = 3, // RFC 7983 s7
    UDP_HEADER = 8,          // a socket filter sees it, a reuseport program does not
    STUN_HEADER = 20,        // RFC 8489 s5
    STUN_REQUEST = 0x0001,   // RFC 8489 s5, 18.1: Binding
    STUN_ERROR = 0x0111,
    STUN_USERNAME = 0x0006, // RFC 8489 s18.3
    STUN_ERROR_CODE = 0x0009,
    ROLE_CONFLICT_CLASS = 4, // RFC 8445 s7.1.2: 487
    ROLE_CONFLICT_NUMBER = 87,
    WALK_MAX = 12,    // attributes looked at; a check has 5 to 9
    PROGRAM_MAX = 256 // instructions; a jump reaches 255
};

// ---- the twin ----------------------------------------------------------------------------------------------

static int attach_chooser(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, STUN_FIRST_BYTE_MAX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
}

// libnice ties each socket to its interface; the twin must leave by the same one.
static void copy_interface(int from, int to, int family)
{
    int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int option = family == AF_INET6 ? IPV6_UNICAST_IF : IP_UNICAST_IF;
    int index = 0;
    socklen_t len = sizeof(index);
    if (getsockopt(from, level, option, &index, &len) == 0 && index != 0)
        setsockopt(to, level, option, &index, sizeof(index));
}

// Past the limits of net.core where we may, within them where not.
static void size_buffer(int fd, int forced, int usual)
{
    int bytes = ICE_TWIN_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, usual, &bytes, sizeof(bytes));
}

static void size_buffers(int fd)
{
    size_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    size_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

// The kernel doubles what it is asked for, for its own bookkeeping, and tells the double.
static int buffer_of(int fd, int option)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);
    return getsockopt(fd, SOL_SOCKET, option, &bytes, &len) == 0 ? bytes / 2 : 0;
}

int ice_twin_buffer(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    size_buffers(fd);
    int rx = buffer_of(fd, SO_RCVBUF), tx = buffer_of(fd, SO_SNDBUF);
    close(fd);
    return rx < tx ? rx : tx;
}

static int set_up(int fd, int twin, const union sockaddr_any *local, socklen_t len)
{
    int one = 1;
    // The group's index 0 is the socket that was bound first: libnice's.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
        setsockopt(twin, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 || bind(twin, &local->sa, len) < 0 ||
        attach_chooser(twin) < 0)
        return -errno;
    copy_interface(fd, twin, local->sa.sa_family);
    size_buffers(twin);
    setsockopt(twin, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)); // for worker_receive(); a wish
    return twin;
}

int ice_twin_new(int fd)
{
    union sockaddr_any local = {.sa = {0}};
    socklen_t len = sizeof(local);
    if (getsockname(fd, &local.sa, &len) < 0)
        return -errno;
    int twin = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (twin < 0)
        return -errno;
    int rc = set_up(fd, twin, &local, len);
    if (rc < 0)
        close(twin);
    return rc;
}

// ---- the filter --------------------------------------------------------------------------------------------

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned len;
};

static unsigned emit(struct program *p, uint16_t code, uint32_t k)
{
    assert(p->len < PROGRAM_MAX);
    p->code[p->len] = (struct sock_filter)BPF_STMT(code, k);
    return p->len++;
}

// A jump whose targets are set later; until then it falls through.
static unsigned emit_if_equal(struct program *p, uint32_t k)
{
    return emit(p, BPF_JMP | BPF_JEQ | BPF_K, k);
}

static void jump_here(struct program *p, unsigned at, bool when)
{
    unsigned distance = p->len - at - 1;
    assert(distance <= UINT8_MAX);
    *(when ? &p->code[at].jt : &p->code[at].jf) = (uint8_t)distance;
}

// Leaves X at the first attribute of this type; drops the datagram when none of the first WALK_MAX is. A load past
// its end drops it too.
static void emit_find(struct program *p, uint16_t type)
{
    unsigned found[WALK_MAX];
    emit(p, BPF_LDX | BPF_W | BPF_IMM, UDP_HEADER + STUN_HEADER);
    for (unsigned i = 0; i < WALK_MAX; i++) {
        emit(p, BPF_LD | BPF_H | BPF_IND, 0);
        found[i] = emit_if_equal(p, type);
        emit(p, BPF_LD | BPF_H | BPF_IND, 2); // RFC 8489 s14: the length, without padding to 4
        emit(p, BPF_ALU | BPF_ADD | BPF_K, 4 + 3);
        emit(p, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)3);
        emit(p, BPF_ALU | BPF_ADD | BPF_X, 0);
        emit(p, BPF_MISC | BPF_TAX, 0);
    }
    emit(p, BPF_RET | BPF_K, 0);
    for (unsigned i = 0; i < WALK_MAX; i++)
        jump_here(p, found[i], true);
}

// Drops the datagram unless the byte at X + offset is this one.
static void emit_want_byte(struct program *p, unsigned offset, uint8_t byte)
{
    emit(p, BPF_LD | BPF_B | BPF_IND, offset);
    p->code[emit_if_equal(p, byte)].jt = 1;
    emit(p, BPF_RET | BPF_K, 0);
}

static void emit_request(struct program *p, const char *ufrag)
{
    unsigned at = 4; // behind the attribute's type and length
    emit_find(p, STUN_USERNAME);
    for (; *ufrag; ufrag++)
        emit_want_byte(p, at++, (uint8_t)*ufrag);
    emit_want_byte(p, at, ':');
    emit(p, BPF_RET | BPF_K, UINT32_MAX);
}

static void emit_error(struct program *p)
{
    emit_find(p, STUN_ERROR_CODE);
    emit_want_byte(p, 6, ROLE_CONFLICT_CLASS); // RFC 8489 s14.8: 21 reserved bits, 3 of class, 8 of number
    emit_want_byte(p, 7, ROLE_CONFLICT_NUMBER);
    emit(p, BPF_RET | BPF_K, UINT32_MAX);
}

static int attach_filter(int fd, const struct program *p)
{
    struct sock_fprog program = {(unsigned short)p->len, (struct sock_filter *)p->code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

int ice_filter(int fd, const char *ufrag)
{
    struct program p = {.len = 0};
    if (strlen(ufrag) > 8) // the program would grow too long; ours have 4
        return -EINVAL;
    emit(&p, BPF_LD | BPF_H | BPF_ABS, UDP_HEADER);
    unsigned not_error = emit_if_equal(&p, STUN_ERROR);
    emit_error(&p);
    jump_here(&p, not_error, false);
    emit(&p, BPF_LD | BPF_H | BPF_ABS, UDP_HEADER);
    unsigned not_request = emit_if_equal(&p, STUN_REQUEST);
    emit_request(&p, ufrag);
    jump_here(&p, not_request, false);
    emit(&p, BPF_RET | BPF_K, UINT32_MAX);
    return attach_filter(fd, &p);
}

// ---- does it work here? ------------------------------------------------------------------------------------

static bool arrives(int fd, uint8_t first_byte)
{
    uint8_t byte;
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    return poll(&pfd, 1, 1000) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == first_byte;
}

static bool bind_to(int fd, in_addr_t address, union sockaddr_any *local)
{
    socklen_t len = sizeof(local->in);
    *local = (union sockaddr_any){.in = {.sin_family = AF_INET, .sin_addr = {htonl(address)}}};
    return bind(fd, &local->sa, len) == 0 && getsockname(fd, &local->sa, &len) == 0;
}

static enum ice_twin_trial try_delivery(int fd, int twin, int sender, const union sockaddr_any *local)
{
    // The request is too short to carry a user name, so the success response is the first that libnice's side sees.
    static const uint8_t datagrams[][2] = {{0x80, 0}, {STUN_REQUEST >> 8, STUN_REQUEST}, {1, 1}, {22, 0}};
    for (unsigned i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++)
        if (sendto(sender, datagrams[i], 2, 0, &local->sa, sizeof(local->in)) != 2)
            return ICE_TWIN_UNTRIED;
    return arrives(twin, 0x80) && arrives(twin, 22) && arrives(fd, 1) ? ICE_TWIN_WORKS : ICE_TWIN_REFUSED;
}

static enum ice_twin_trial try_sockets(int fd, int sender)
{
    union sockaddr_any local;
    bool has_loopback = bind_to(fd, INADDR_LOOPBACK, &local);
    if (!has_loopback && !bind_to(fd, INADDR_ANY, &local))
        return ICE_TWIN_REFUSED;
    int twin = ice_twin_new(fd);
    enum ice_twin_trial trial = twin >= 0 && ice_filter(fd, "none") == 0 ? ICE_TWIN_UNTRIED : ICE_TWIN_REFUSED;
    if (has_loopback && trial == ICE_TWIN_UNTRIED)
        trial = try_delivery(fd, twin, sender, &local);
    if (twin >= 0)
        close(twin);
    return trial;
}

enum ice_twin_trial ice_twin_try(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    enum ice_twin_trial trial = fd >= 0 && sender >= 0 ? try_sockets(fd, sender) : ICE_TWIN_REFUSED;
    if (fd >= 0)
        close(fd);
    if (sender >= 0)
        close(sender);
    return trial;
}
