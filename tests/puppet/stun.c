// How does a browser check a path?
// SPDX-License-Identifier: MIT
#include "tests/puppet/stun.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <zlib.h>

#include "rtp/bytes.h"

enum { // RFC 8489 section 5 and 18.3, RFC 8445 section 16.1
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    COOKIE = 0x2112A442,
    HEADER_LEN = 20,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLING = 0x802A,
    FINGERPRINT_XOR = 0x5354554E,
    PEER_REFLEXIVE_PRIORITY = 110 << 24 | 0xffffff,
};

static size_t add(uint8_t *buf, size_t len, uint16_t type, const void *value, size_t value_len)
{
    wr16(buf + len, type);
    wr16(buf + len + 2, (uint16_t)value_len);
    if (value_len)
        memcpy(buf + len + 4, value, value_len);
    size_t padded = (value_len + 3) & ~(size_t)3;
    memset(buf + len + 4 + value_len, 0, padded - value_len);
    return len + 4 + padded;
}

// The header's length counts what follows it up to and including the attribute being computed.
static size_t finish(uint8_t *buf, size_t len, const char *password)
{
    uint8_t mac[20];
    unsigned mac_len = sizeof(mac);
    wr16(buf + 2, (uint16_t)(len - HEADER_LEN + 24));
    HMAC(EVP_sha1(), password, (int)strlen(password), buf, len, mac, &mac_len);
    len = add(buf, len, MESSAGE_INTEGRITY, mac, sizeof(mac));
    wr16(buf + 2, (uint16_t)(len - HEADER_LEN + 8));
    uint8_t crc[4];
    wr32(crc, (uint32_t)crc32(0, buf, (unsigned)len) ^ FINGERPRINT_XOR);
    return add(buf, len, FINGERPRINT, crc, sizeof(crc));
}

static size_t begin(uint8_t *buf, uint16_t type, const uint8_t *id)
{
    wr16(buf, type);
    wr16(buf + 2, 0);
    wr32(buf + 4, COOKIE);
    memcpy(buf + 8, id, STUN_ID_LEN);
    return HEADER_LEN;
}

size_t stun_request(uint8_t buf[STUN_MESSAGE_MAX], const uint8_t id[STUN_ID_LEN], const char *username,
                    const char *password)
{
    uint8_t priority[4], tie_breaker[8];
    size_t len = begin(buf, BINDING_REQUEST, id);
    assert(strlen(username) < 256);
    wr32(priority, PEER_REFLEXIVE_PRIORITY);
    memset(tie_breaker, 0xff, sizeof(tie_breaker)); // the other side yields (RFC 8445 section 7.3.1.1)
    len = add(buf, len, USERNAME, username, strlen(username));
    len = add(buf, len, PRIORITY, priority, sizeof(priority));
    len = add(buf, len, ICE_CONTROLLING, tie_breaker, sizeof(tie_breaker));
    len = add(buf, len, USE_CANDIDATE, NULL, 0);
    return finish(buf, len, password);
}

static bool is_type(const uint8_t *data, size_t len, uint16_t type)
{
    return len >= HEADER_LEN && rd16(data) == type && rd32(data + 4) == COOKIE;
}

bool stun_is_request(const uint8_t *data, size_t len)
{
    return is_type(data, len, BINDING_REQUEST);
}

bool stun_is_success(const uint8_t *data, size_t len)
{
    return is_type(data, len, BINDING_SUCCESS);
}

size_t stun_response(uint8_t buf[STUN_MESSAGE_MAX], const uint8_t *request, const struct sockaddr_in *from,
                     const char *password)
{
    uint8_t address[8] = {0, 1};
    size_t len = begin(buf, BINDING_SUCCESS, request + 8);
    wr16(address + 2, (uint16_t)(ntohs(from->sin_port) ^ COOKIE >> 16));
    wr32(address + 4, ntohl(from->sin_addr.s_addr) ^ COOKIE);
    len = add(buf, len, XOR_MAPPED_ADDRESS, address, sizeof(address));
    return finish(buf, len, password);
}
