// How are keys agreed, and how does SCTP travel?
// SPDX-License-Identifier: MIT
#include "sfu/dtls.h"

#include <errno.h>
#include <glib.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

#include "rtp/bytes.h"
#include "sfu/dtls_cert.h"
#include "sfu/dtls_filter.h"
#include "sfu/dtls_record.h"

enum {
    FIRST_TIMEOUT_US = 100000, // RFC 6347 s4.2.4.1 asks for 1 s, RFC 9147 s5.8.2 for less where the path is known
    TIMEOUT_MAX_US = 6400000,
    HANDSHAKE_MAX_US = 30000000,
    QUEUE_MAX = 64,  // datagrams waiting each way; the next is dropped, as a network would
    RESTART_MAX = 8, // handshakes begun anew after a forged or mad one
};

enum { ALERT_LEN = 2, WARNING = 1, FATAL = 2, CLOSE_NOTIFY = 0, NO_RENEGOTIATION = 100 }; // RFC 5246 s7.2
enum { HELLO_REQUEST = 0, CLIENT_HELLO = 1 };                                             // RFC 5246 s7.4

struct dtls {
    // fixed at birth
    struct dtls_cert *cert;
    enum dtls_role role;
    const char *profiles; // OpenSSL's names of the SRTP profiles; NULL: those of the certificate's context

    // handshake
    SSL *ssl; // owns its BIO; NULL: settled
    enum dtls_state state;
    struct dtls_expected expected;
    bool started;
    unsigned restarts;
    int64_t due_us;      // when OpenSSL wants its timer handled
    int64_t deadline_us; // when the handshake is given up

    // datagrams
    struct dtls_filter filter;
    struct dtls_record record; // what comes once we are connected, and what we send once we are settled
    const uint8_t *rx;         // the one being read, NULL when OpenSSL has taken it
    size_t rx_len;
    GQueue tx;    // GBytes: datagrams to send
    GQueue plain; // GBytes: SCTP packets to take
};

// ---- datagrams that wait -----------------------------------------------------------------------------------

static void queue_add(GQueue *queue, const void *data, size_t len)
{
    if (queue->length < QUEUE_MAX)
        g_queue_push_tail(queue, g_bytes_new(data, len));
}

static void queue_clear(GQueue *queue)
{
    g_queue_clear_full(queue, (GDestroyNotify)g_bytes_unref);
}

static size_t queue_take(GQueue *queue, uint8_t *buf, size_t cap)
{
    GBytes *bytes = g_queue_pop_head(queue);
    if (!bytes)
        return 0;
    size_t len;
    const void *data = g_bytes_get_data(bytes, &len);
    g_assert(len <= cap);
    memcpy(buf, data, len);
    g_bytes_unref(bytes);
    return len;
}

// ---- datagrams as a BIO ------------------------------------------------------------------------------------

static int bio_write(BIO *bio, const char *data, int len)
{
    struct dtls *dtls = BIO_get_data(bio);
    dtls_record_follow(&dtls->record, (const uint8_t *)data, (size_t)len);
    queue_add(&dtls->tx, data, (size_t)len);
    return len;
}

static int bio_read(BIO *bio, char *data, int room)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!dtls->rx) {
        BIO_set_retry_read(bio);
        return -1;
    }
    int len = MIN((int)dtls->rx_len, room);
    memcpy(data, dtls->rx, (size_t)len);
    dtls->rx = NULL;
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return DTLS_MTU;
    default:
        return 0;
    }
}

static gpointer bio_method_new(gpointer arg)
{
    (void)arg;
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "roda datagrams");
    g_assert(method);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

static BIO *bio_new(struct dtls *dtls)
{
    static GOnce once = G_ONCE_INIT;
    BIO *bio = BIO_new(g_once(&once, bio_method_new, NULL));
    g_assert(bio);
    BIO_set_data(bio, dtls);
    BIO_set_init(bio, 1);
    return bio;
}

// ---- life --------------------------------------------------------------------------------------------------

static unsigned next_timeout(SSL *ssl, unsigned last_us)
{
    (void)ssl;
    return last_us == 0 ? FIRST_TIMEOUT_US : MIN(2 * last_us, TIMEOUT_MAX_US);
}

static void make_ssl(struct dtls *dtls)
{
    dtls_record_clear(&dtls->record);
    dtls->ssl = SSL_new(dtls->cert->ctx);
    g_assert(dtls->ssl);
    BIO *bio = bio_new(dtls);
    SSL_set_bio(dtls->ssl, bio, bio);
    SSL_set_app_data(dtls->ssl, &dtls->expected);
    SSL_set_mtu(dtls->ssl, DTLS_MTU);
    DTLS_set_timer_cb(dtls->ssl, next_timeout);
    int refused = dtls->profiles ? SSL_set_tlsext_use_srtp(dtls->ssl, dtls->profiles) : 0;
    g_assert(refused == 0);
    if (dtls->role == DTLS_SERVER)
        SSL_set_accept_state(dtls->ssl);
    else
        SSL_set_connect_state(dtls->ssl);
}

struct dtls *dtls_new(struct dtls_cert *cert, enum dtls_role role)
{
    struct dtls *dtls = g_new0(struct dtls, 1);
    dtls->cert = cert;
    dtls->role = role;
    dtls->filter.role = role;
    dtls->due_us = INT64_MAX;
    dtls->deadline_us = INT64_MAX;
    g_queue_init(&dtls->tx);
    g_queue_init(&dtls->plain);
    make_ssl(dtls);
    return dtls;
}

void dtls_free(struct dtls *dtls)
{
    if (!dtls)
        return;
    SSL_free(dtls->ssl);
    dtls_record_clear(&dtls->record);
    queue_clear(&dtls->tx);
    queue_clear(&dtls->plain);
    g_free(dtls);
}

void dtls_set_profile(struct dtls *dtls, enum cipher_profile profile)
{
    dtls->profiles = profile == CIPHER_CM_SHA1_80 ? "SRTP_AES128_CM_SHA1_80"
                     : profile == CIPHER_GCM_256  ? "SRTP_AEAD_AES_256_GCM"
                                                  : "SRTP_AEAD_AES_128_GCM";
    SSL_free(dtls->ssl);
    make_ssl(dtls);
}

int dtls_set_fingerprint(struct dtls *dtls, const char *algorithm, const uint8_t *digest, size_t len)
{
    if (strcasecmp(algorithm, "sha-256") != 0)
        return -ENOTSUP;
    if (len != DTLS_FINGERPRINT_MAX)
        return -EBADMSG;
    if (dtls->state != DTLS_HANDSHAKING && memcmp(digest, dtls->expected.digest, len) != 0)
        return -EBUSY;
    memcpy(dtls->expected.digest, digest, len);
    dtls->expected.known = true;
    return 0;
}

// ---- handshake ---------------------------------------------------------------------------------------------

static void end(struct dtls *dtls, enum dtls_state state)
{
    dtls->state = state;
    dtls->deadline_us = INT64_MAX;
}

// OpenSSL keeps its timer by the wall clock; we only ever ask how much of it is left.
static void update_due(struct dtls *dtls, int64_t now_us)
{
    struct timeval left;
    dtls->due_us = INT64_MAX;
    if (dtls->state == DTLS_HANDSHAKING && DTLSv1_get_timeout(dtls->ssl, &left))
        dtls->due_us = now_us + (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

// A handshake that broke off. What broke it is not authenticated, so a server listens again; what OpenSSL wanted to
// say about it would make a browser hang up. Only a wrong certificate is final.
static void handshake_broke(struct dtls *dtls)
{
    if (dtls->expected.refused || dtls->role == DTLS_CLIENT || dtls->restarts == RESTART_MAX) {
        end(dtls, DTLS_FAILED);
        return;
    }
    dtls->restarts++;
    queue_clear(&dtls->tx);
    SSL_free(dtls->ssl);
    make_ssl(dtls);
}

static bool is_waiting(struct dtls *dtls, int rc)
{
    int error = SSL_get_error(dtls->ssl, rc);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void shake_hands(struct dtls *dtls)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(dtls->ssl);
    if (rc == 1) {
        end(dtls, DTLS_CONNECTED);
        dtls_record_init(&dtls->record, dtls->ssl, dtls->role);
    } else if (!is_waiting(dtls, rc)) {
        handshake_broke(dtls);
    }
}

// The peer may not have our last flight and ask for it by sending its own again. All else is ours to read.
static void shake_again(struct dtls *dtls)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    ERR_clear_error();
    int n;
    do
        n = SSL_read(dtls->ssl, buf, sizeof(buf));
    while (n > 0);
    if (!is_waiting(dtls, n))
        end(dtls, DTLS_FAILED);
}

static void send_record(struct dtls *dtls, enum dtls_content type, const uint8_t *data, size_t len)
{
    uint8_t out[DTLS_MTU + DTLS_RECORD_MORE];
    queue_add(&dtls->tx, out, dtls_record_seal(&dtls->record, type, data, len, out, sizeof(out)));
}

static void send_warning(struct dtls *dtls, uint8_t description)
{
    const uint8_t alert[ALERT_LEN] = {WARNING, description};
    send_record(dtls, DTLS_ALERT, alert, sizeof(alert));
}

static void take_alert(struct dtls *dtls, const uint8_t *alert, size_t len)
{
    if (len != ALERT_LEN)
        return;
    if (alert[1] == CLOSE_NOTIFY)
        end(dtls, DTLS_CLOSED);
    else if (alert[0] == FATAL)
        end(dtls, DTLS_FAILED);
}

// RFC 8827 s6.5: a second handshake is refused out loud. Until we settle OpenSSL says so.
static void take_handshake(struct dtls *dtls, uint8_t type)
{
    if (!dtls->ssl && type == (dtls->role == DTLS_SERVER ? CLIENT_HELLO : HELLO_REQUEST))
        send_warning(dtls, NO_RENEGOTIATION);
}

static void read_record(struct dtls *dtls, const uint8_t *record, size_t len)
{
    uint8_t plain[DTLS_PLAIN_MAX];
    int n = dtls_record_open(&dtls->record, record, len, plain);
    if (n <= 0)
        return;
    if (record[0] == DTLS_APPLICATION_DATA)
        queue_add(&dtls->plain, plain, (size_t)n);
    else if (record[0] == DTLS_ALERT)
        take_alert(dtls, plain, (size_t)n);
    else if (record[0] == DTLS_HANDSHAKE)
        take_handshake(dtls, plain[0]);
}

// Of a datagram that is plausible.
static void read_records(struct dtls *dtls, const uint8_t *data, size_t len)
{
    while (len >= DTLS_RECORD_HEADER && dtls->state == DTLS_CONNECTED) {
        size_t record = MIN(len, DTLS_RECORD_HEADER + (size_t)rd16(data + DTLS_RECORD_HEADER - 2));
        read_record(dtls, data, record);
        data += record;
        len -= record;
    }
}

static bool is_alive(const struct dtls *dtls)
{
    return dtls->state == DTLS_HANDSHAKING || dtls->state == DTLS_CONNECTED;
}

static void begin(struct dtls *dtls, int64_t now_us)
{
    if (dtls->started)
        return;
    dtls->started = true;
    dtls->deadline_us = now_us + HANDSHAKE_MAX_US;
}

void dtls_start(struct dtls *dtls, int64_t now_us)
{
    if (dtls->role != DTLS_CLIENT || dtls->started)
        return;
    begin(dtls, now_us);
    shake_hands(dtls);
    update_due(dtls, now_us);
}

void dtls_rx(struct dtls *dtls, const uint8_t *data, size_t len, int64_t now_us)
{
    // Before the SDP named a certificate there is nobody to shake hands with; the peer will try again.
    if (!is_alive(dtls) || !dtls->expected.known || (dtls->role == DTLS_CLIENT && !dtls->started))
        return;
    uint8_t seen[DTLS_FILTER_MAX];
    dtls->rx_len = dtls_filter(&dtls->filter, data, len, seen);
    if (dtls->rx_len == 0)
        return;
    begin(dtls, now_us);
    dtls->rx = seen;
    if (dtls->state == DTLS_HANDSHAKING)
        shake_hands(dtls);
    else if (dtls->ssl && seen[0] != DTLS_APPLICATION_DATA && seen[0] != DTLS_ALERT)
        shake_again(dtls);
    dtls->rx = NULL;
    if (dtls->state == DTLS_CONNECTED)
        read_records(dtls, seen, dtls->rx_len);
    update_due(dtls, now_us);
}

int64_t dtls_due(const struct dtls *dtls)
{
    return MIN(dtls->due_us, dtls->deadline_us);
}

void dtls_tick(struct dtls *dtls, int64_t now_us)
{
    if (dtls->state != DTLS_HANDSHAKING)
        return;
    if (now_us >= dtls->deadline_us)
        end(dtls, DTLS_FAILED);
    else if (now_us >= dtls->due_us && DTLSv1_handle_timeout(dtls->ssl) < 0)
        handshake_broke(dtls);
    update_due(dtls, now_us);
}

enum dtls_state dtls_state(const struct dtls *dtls)
{
    return dtls->state;
}

// ---- data --------------------------------------------------------------------------------------------------

size_t dtls_next_tx(struct dtls *dtls, uint8_t *buf, size_t cap)
{
    return queue_take(&dtls->tx, buf, cap);
}

size_t dtls_read(struct dtls *dtls, uint8_t *buf, size_t cap)
{
    return queue_take(&dtls->plain, buf, cap);
}

int dtls_send(struct dtls *dtls, const uint8_t *data, size_t len)
{
    if (dtls->state != DTLS_CONNECTED)
        return -ENOTCONN;
    if (len == 0 || len > DTLS_MTU)
        return -EMSGSIZE;
    if (!dtls->ssl) {
        send_record(dtls, DTLS_APPLICATION_DATA, data, len);
        return 0;
    }
    ERR_clear_error();
    return SSL_write(dtls->ssl, data, (int)len) == (int)len ? 0 : -ENOTCONN;
}

void dtls_shutdown(struct dtls *dtls)
{
    if (dtls->state != DTLS_CONNECTED)
        return;
    ERR_clear_error();
    if (dtls->ssl)
        SSL_shutdown(dtls->ssl);
    else
        send_warning(dtls, CLOSE_NOTIFY);
    end(dtls, DTLS_CLOSED);
}

void dtls_settle(struct dtls *dtls)
{
    if (!dtls->ssl || dtls->state != DTLS_CONNECTED)
        return;
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
}

// RFC 5764 s4.2: client key | server key | client salt | server salt
int dtls_srtp_keys(const struct dtls *dtls, struct cipher_keys *seal, struct cipher_keys *open)
{
    static const char label[] = "EXTRACTOR-dtls_srtp"; // RFC 5764 s4.2
    uint8_t block[2 * (CIPHER_KEY_MAX + CIPHER_SALT_MAX)];
    const SRTP_PROTECTION_PROFILE *chosen =
        dtls->state == DTLS_CONNECTED && dtls->ssl ? SSL_get_selected_srtp_profile(dtls->ssl) : NULL;
    if (!chosen)
        return -ENOTCONN;
    enum cipher_profile profile = (enum cipher_profile)chosen->id;
    size_t key_len = cipher_key_len(profile), salt_len = cipher_salt_len(profile);
    g_assert(key_len > 0);
    int ok =
        SSL_export_keying_material(dtls->ssl, block, 2 * (key_len + salt_len), label, sizeof(label) - 1, NULL, 0, 0);
    g_assert(ok == 1);
    struct cipher_keys *client = dtls->role == DTLS_CLIENT ? seal : open;
    struct cipher_keys *server = dtls->role == DTLS_CLIENT ? open : seal;
    *client = *server = (struct cipher_keys){.profile = profile};
    memcpy(client->key, block, key_len);
    memcpy(server->key, block + key_len, key_len);
    memcpy(client->salt, block + 2 * key_len, salt_len);
    memcpy(server->salt, block + 2 * key_len + salt_len, salt_len);
    explicit_bzero(block, sizeof(block));
    return 0;
}
