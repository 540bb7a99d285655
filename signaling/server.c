// How do HTTP and WebSocket come in from the network? (it and listener.c alone know libwebsockets)
// SPDX-License-Identifier: MIT
#include "signaling/server.h"

#include <errno.h>
#include <libwebsockets.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "signaling/hub.h"
#include "signaling/listener.h"
#include "signaling/log.h"
#include "signaling/socket.h"
#include "signaling/stop.h"
#include "signaling/tls_files.h"
#include "signaling/visit.h"

enum {
    HEADERS_OUT = 4096,    // bytes of an answer's headers
    PIECE_PATIENCE_S = 30, // a client that does not take a piece of an answer in this time is gone
    DISK_PATIENCE_US = 3000,
};

G_STATIC_ASSERT(LWS_PRE <= SOCKET_HEADROOM);

struct server {
    struct listener listener;
    struct hub *hub;   // NULL: not serving yet
    struct site *site; // NULL: not serving yet, or no more
    struct stop stop;
    struct notify notify;
    struct tls_files tls_files;
    volatile sig_atomic_t wants_reload; // SIGHUP
    bool is_tls;
    char url[320];
};

// What libwebsockets keeps for each connection: it is one or the other.
struct connection {
    struct socket *socket;
    struct visit *visit;
};

static void set_time(struct server *server)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    server->hub->now_us = mono.tv_sec * INT64_C(1000000) + mono.tv_nsec / 1000;
    server->hub->wall_ms = wall.tv_sec * INT64_C(1000) + wall.tv_nsec / 1000000;
}

// ---- HTTP ---------------------------------------------------------------------------------------------------

static bool add_header(struct lws *wsi, const struct http_header *header, unsigned char **at, unsigned char *end)
{
    const unsigned char *name = (const unsigned char *)header->name, *value = (const unsigned char *)header->value;
    return !*value || lws_add_http_header_by_name(wsi, name, value, (int)strlen(header->value), at, end) == 0;
}

static bool write_headers(struct lws *wsi, const struct visit *visit)
{
    const struct http_response *response = &visit->response;
    unsigned char buffer[LWS_PRE + HEADERS_OUT];
    unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof(buffer) - 1;
    struct http_header headers[VISIT_HEADERS_MAX];
    size_t n = visit_headers(visit, headers);
    bool ok = lws_add_http_common_headers(wsi, (unsigned)response->status, response->content_type,
                                          http_response_size(response), &at, end) == 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = add_header(wsi, &headers[i], &at, end);
    return ok && lws_finalize_write_http_header(wsi, start, &at, end) == 0;
}

// 0: the connection is free for the next request.
static int http_done(struct lws *wsi, const struct visit *visit)
{
    return visit->is_last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int http_answer(struct lws *wsi, struct visit *visit)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    visit->has_headers = true;
    counters_http(&server->hub->counters, visit->response.status);
    if (!write_headers(wsi, visit))
        return -1;
    if (visit_is_written(visit))
        return http_done(wsi, visit);
    lws_callback_on_writable(wsi);
    return 0;
}

static int http_write_piece(struct lws *wsi, struct visit *visit)
{
    unsigned char piece[LWS_PRE + BODY_PIECE];
    struct server *server = lws_context_user(lws_get_context(wsi));
    ssize_t len = visit_tx(visit, piece + LWS_PRE, BODY_PIECE);
    if (len == -EAGAIN) {
        lws_set_timer_usecs(wsi, DISK_PATIENCE_US);
        listener_wake_in(&server->listener, DISK_PATIENCE_US);
        return 0;
    }
    bool is_last = visit_is_written(visit);
    if (len < 0 || lws_write(wsi, piece + LWS_PRE, (size_t)len, is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    if (is_last)
        return http_done(wsi, visit);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_PATIENCE_S);
    lws_callback_on_writable(wsi);
    return 0;
}

static int http_write(struct lws *wsi, struct visit *visit)
{
    if (!visit || visit_is_late(visit) || !visit->response.status)
        return 0;
    if (!visit->has_headers)
        return http_answer(wsi, visit);
    return visit_is_written(visit) ? 0 : http_write_piece(wsi, visit);
}

// There is an answer, or it is to be waited for: then the exchange itself has a limit.
static int http_answer_or_wait(struct lws *wsi, struct visit *visit, bool is_answered)
{
    if (is_answered)
        return http_answer(wsi, visit);
    if (visit_is_late(visit))
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    return 0;
}

static void want_answer(void *arg)
{
    lws_callback_on_writable(arg);
}

static const char *read_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
    return lws_hdr_copy(wsi, out, (int)size, token) > 0 ? out : NULL;
}

// One that libwebsockets has no number for.
static const char *read_named(struct lws *wsi, const char *name, char *out, size_t size)
{
    return lws_hdr_custom_copy(wsi, out, (int)size, name, (int)strlen(name)) > 0 ? out : NULL;
}

static void read_query(struct lws *wsi, struct visit *visit)
{
    char field[PATH_MAX_BYTES + 1];
    for (int i = 0; lws_hdr_copy_fragment(wsi, field, sizeof(field), WSI_TOKEN_HTTP_URI_ARGS, i) >= 0; i++)
        visit_add_query(visit, field);
}

static struct visit *read_visit(struct server *server, struct lws *wsi, enum http_method method, const char *path)
{
    struct visit *v = visit_new(method, path, server->is_tls, want_answer, wsi);
    struct http_request *r = &v->request;
    lws_get_peer_simple(wsi, v->address, sizeof(v->address));
    r->host = read_header(wsi, WSI_TOKEN_HOST, v->host, sizeof(v->host));
    r->origin = read_header(wsi, WSI_TOKEN_ORIGIN, v->origin, sizeof(v->origin));
    r->authorization = read_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, v->authorization, sizeof(v->authorization));
    r->content_type = read_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, v->content_type, sizeof(v->content_type));
    r->if_none_match = read_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, v->if_none_match, sizeof(v->if_none_match));
    r->range = read_header(wsi, WSI_TOKEN_HTTP_RANGE, v->range, sizeof(v->range));
    r->if_range = read_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, v->if_range, sizeof(v->if_range));
    r->asked_method = read_named(wsi, "access-control-request-method:", v->asked_method, sizeof(v->asked_method));
    r->accept = read_header(wsi, WSI_TOKEN_HTTP_ACCEPT, v->accept, sizeof(v->accept));
    r->forwarded_for = read_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, v->forwarded_for, sizeof(v->forwarded_for));
    if (!r->forwarded_for && lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0)
        r->forwarded_for = "unknown"; // too long to be read is not absent
    read_query(wsi, v);
    return v;
}

static bool read_method(struct lws *wsi, enum http_method *method)
{
    static const int methods[] = {
        [LWSHUMETH_GET] = HTTP_GET, [LWSHUMETH_POST] = HTTP_POST,   [LWSHUMETH_OPTIONS] = HTTP_OPTIONS,
        [LWSHUMETH_PUT] = HTTP_PUT, [LWSHUMETH_PATCH] = HTTP_PATCH, [LWSHUMETH_DELETE] = HTTP_DELETE,
        [LWSHUMETH_CONNECT] = -1,   [LWSHUMETH_HEAD] = HTTP_HEAD,
    };
    char *uri;
    int uri_len;
    int got = lws_http_get_uri_and_method(wsi, &uri, &uri_len);
    if (got < 0 || got >= (int)G_N_ELEMENTS(methods) || methods[got] < 0)
        return false;
    *method = (enum http_method)methods[got];
    return true;
}

static int http_begin(struct server *server, struct lws *wsi, struct connection *connection, const char *path)
{
    enum http_method method;
    char length[24];
    if (!read_method(wsi, &method))
        return lws_return_http_status(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED, NULL) ? -1 : 0;
    visit_free(connection->visit);
    struct visit *visit = connection->visit = read_visit(server, wsi, method, path);
    const char *content_length = read_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length));
    bool is_chunked = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    return http_answer_or_wait(wsi, visit, visit_begin(visit, server->site, content_length, is_chunked));
}

static int http_end(struct connection *connection)
{
    if (!connection) // it was over before a request came
        return 0;
    visit_free(connection->visit);
    connection->visit = NULL;
    return 0;
}

static int http_event(struct server *server, struct lws *wsi, struct connection *connection,
                      enum lws_callback_reasons reason, const void *in, size_t len)
{
    struct visit *visit = connection->visit;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return http_begin(server, wsi, connection, in);
    case LWS_CALLBACK_HTTP_BODY:
        return visit && visit_rx(visit, in, len) ? 0 : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return visit ? http_answer_or_wait(wsi, visit, visit_end(visit, server->site)) : 0;
    case LWS_CALLBACK_TIMER:
        lws_callback_on_writable(wsi);
        return 0;
    default:
        return http_write(wsi, visit);
    }
}

// ---- WebSocket ----------------------------------------------------------------------------------------------

static void want_write(void *arg)
{
    struct lws *wsi = arg;
    const struct connection *connection = lws_wsi_user(wsi);
    if (connection->socket && connection->socket->is_closing)
        lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_PATIENCE_S);
    lws_callback_on_writable(wsi);
}

// One frame per turn, so that no socket keeps the others waiting.
static int socket_write(struct lws *wsi, struct socket *socket)
{
    unsigned char ping[LWS_PRE + 1] = {[LWS_PRE] = '.'}; // libwebsockets does not tell of an empty pong
    struct frame frame = socket_tx(socket);
    int rc = 0;
    if (frame.type == FRAME_TEXT)
        rc = lws_write(wsi, frame.text, frame.len, LWS_WRITE_TEXT);
    else if (frame.type == FRAME_PING)
        rc = lws_write(wsi, ping + LWS_PRE, 1, LWS_WRITE_PING);
    g_free(frame.buffer);
    if (frame.type == FRAME_CLOSE) {
        lws_close_reason(wsi, (enum lws_close_status)frame.code, (unsigned char *)frame.reason, strlen(frame.reason));
        return -1;
    }
    if (socket_has_more(socket))
        lws_callback_on_writable(wsi);
    return rc < 0 ? -1 : 0;
}

static void socket_read(struct lws *wsi, struct socket *socket, const void *in, size_t len)
{
    bool is_end = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    socket_rx(socket, in, len, is_end, lws_frame_is_binary(wsi));
}

// 0: libwebsockets sends it back as it is.
static int socket_read_close(struct lws *wsi, struct socket *socket, const void *in, size_t len)
{
    uint16_t fault = socket_rx_close(socket, in, len);
    if (fault)
        lws_close_reason(wsi, (enum lws_close_status)fault, NULL, 0);
    return fault ? -1 : 0;
}

// The door of an upgrade that is confirmed but not done; NULL when there is none.
static struct door *take_door(struct lws *wsi)
{
    struct door *door = lws_get_opaque_user_data(wsi);
    lws_set_opaque_user_data(wsi, NULL);
    return door;
}

static bool check_handshake(struct lws *wsi, const char *upgrade, struct visit *visit)
{
    char http[16], connection[128], version[8], key[32], protocol[128];
    enum http_method method;
    struct handshake handshake = {
        .http = read_header(wsi, WSI_TOKEN_HTTP, http, sizeof(http)),
        .host = visit->request.host,
        .upgrade = upgrade,
        .connection = read_header(wsi, WSI_TOKEN_CONNECTION, connection, sizeof(connection)),
        .version = read_header(wsi, WSI_TOKEN_VERSION, version, sizeof(version)),
        .key = read_header(wsi, WSI_TOKEN_KEY, key, sizeof(key)),
        .protocol = read_header(wsi, WSI_TOKEN_PROTOCOL, protocol, sizeof(protocol)),
        .is_get = read_method(wsi, &method) && method == HTTP_GET,
    };
    if (!handshake.protocol && lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0)
        handshake.protocol = ""; // too long to be read is not absent
    return door_handshake(&handshake, &visit->response);
}

// 0: go on. 1: refused and answered. -1: hang up.
static int confirm_upgrade(struct server *server, struct lws *wsi)
{
    char path[PATH_MAX_BYTES + 1] = "", token[TOKEN_MAX + 16], dialect[32], user[USER_MAX + 32];
    char name[NAME_MAX_BYTES + 32], upgrade[16];
    // To another protocol than it knows libwebsockets has said 403 already, and then it asks all the same.
    if (!read_header(wsi, WSI_TOKEN_UPGRADE, upgrade, sizeof(upgrade)))
        return -1;
    lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI);
    struct visit *visit = read_visit(server, wsi, HTTP_GET, path);
    struct door *door = g_new0(struct door, 1);
    int rc = 0;
    const struct door_query query = {
        .token = lws_get_urlarg_by_name(wsi, "token=", token, sizeof(token)),
        .dialect = lws_get_urlarg_by_name(wsi, "dialect=", dialect, sizeof(dialect)),
        .user = lws_get_urlarg_by_name(wsi, "user=", user, sizeof(user)),
        .name = lws_get_urlarg_by_name(wsi, "name=", name, sizeof(name)),
    };
    if (check_handshake(wsi, upgrade, visit) &&
        door_open(server->hub, &visit->request, &query, door, &visit->response)) {
        lws_set_opaque_user_data(wsi, door); // there is no struct connection before the upgrade is done
    } else {
        struct http_response *response = &visit->response;
        door_free(door);
        visit->is_last = true;
        rc = write_headers(wsi, visit) &&
                     lws_write(wsi, (unsigned char *)response->body, response->body_len, LWS_WRITE_HTTP_FINAL) >= 0
                 ? 1
                 : -1;
    }
    visit_free(visit);
    return rc;
}

static void established(struct server *server, struct lws *wsi, struct connection *connection)
{
    struct door *door = take_door(wsi);
    connection->socket = socket_new(server->hub, door, want_write, wsi);
    door_free(door);
}

static void closed(struct connection *connection)
{
    socket_free(connection->socket);
    connection->socket = NULL;
}

static int websocket_event(struct lws *wsi, struct connection *connection, enum lws_callback_reasons reason,
                           const void *in, size_t len)
{
    struct socket *socket = connection ? connection->socket : NULL;
    if (!socket) // an upgrade that was never done
        return 0;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        socket_read(wsi, socket, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        socket_rx_pong(socket);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return socket_write(wsi, socket);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return socket_read_close(wsi, socket, in, len);
    default:
        closed(connection);
        return 0;
    }
}

// ---- what libwebsockets tells -------------------------------------------------------------------------------

// For connections to come; those that are keep theirs.
static void renew_certificate(struct server *server)
{
    struct tls_files *files = &server->tls_files;
    bool at_once = server->wants_reload;
    server->wants_reload = 0;
    if (!tls_files_changed(files, at_once, server->hub->now_us))
        return;
    if (lws_tls_cert_updated(server->listener.context, files->cert, files->key, NULL, 0, NULL, 0) == 0)
        log_info("tls", "the certificate is renewed");
    else
        log_warn("tls", "the renewed certificate cannot be used");
}

static void tick(struct server *server)
{
    hub_tick(server->hub);
    notify_tick(&server->notify, server->hub);
    renew_certificate(server);
}

// What is left of a connection goes, whether the server serves or not.
static int end_event(struct lws *wsi, struct connection *connection, enum lws_callback_reasons reason)
{
    switch (reason) {
    case LWS_CALLBACK_WSI_DESTROY:
        door_free(take_door(wsi)); // the handshake was wrong after all
        return 0;
    case LWS_CALLBACK_CLOSED:
        return websocket_event(wsi, connection, reason, NULL, 0);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        return http_end(connection);
    default:
        return 0;
    }
}

static int event(struct server *server, struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(server, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        established(server, wsi, user);
        return 0;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return websocket_event(wsi, user, reason, in, len);
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_TIMER:
        return http_event(server, wsi, user, reason, in, len);
    case LWS_CALLBACK_RAW_RX_FILE:
        if (listener_ticked(&server->listener))
            tick(server);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        hub_rx_sfu(server->hub);
        hub_rx_store(server->hub);
        hub_rx_librarian(server->hub);
        return 0;
    default:
        return end_event(wsi, user, reason);
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    if (!server->site)
        return end_event(wsi, user, reason);
    set_time(server);
    int rc = event(server, wsi, reason, user, in, len);
    store_flush(server->hub->store);
    return rc;
}

static const struct lws_protocols protocols[] = {
    {.name = DOOR_PROTOCOL,
     .callback = on_event,
     .per_session_data_size = sizeof(struct connection),
     .rx_buffer_size = 1024, // of each WebSocket; longer messages come in pieces
     .tx_packet_size = 4096},
    {0},
};

// ---- the server ---------------------------------------------------------------------------------------------

struct server *server_new(const struct config *config, char *err, size_t err_size)
{
    struct server *server = g_new0(struct server, 1);
    server->is_tls = config->tls_cert != NULL;
    notify_open(&server->notify);
    tls_files_init(&server->tls_files, config);
    if (!listener_open(&server->listener, config, protocols, server, err, err_size)) {
        server_free(server);
        return NULL;
    }
    http_url(server->url, sizeof(server->url), server->is_tls, config->bind, listener_port(&server->listener));
    return server;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    listener_close(&server->listener);
    notify_close(&server->notify);
    g_free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

void server_run(struct server *server, struct hub *hub)
{
    server->hub = hub;
    set_time(server);
    hub->started_us = hub->now_us;
    server->site = site_new(hub);
    tick(server);
    hub_rx_sfu(hub); // it may have woken us before we were there
    notify_ready(&server->notify);
    while (!stop_is_over(&server->stop, hub, &server->notify) && listener_turn(&server->listener))
        set_time(server);
    while (hub->sessions->len > 0) {
        struct session *session = hub->sessions->pdata[0];
        socket_end_session(session->output_arg);
    }
    site_free(server->site);
    server->site = NULL;
}

void server_wake(void *arg)
{
    struct server *server = arg;
    lws_cancel_service(server->listener.context);
}

void server_stop(struct server *server, bool at_once)
{
    stop_ask(&server->stop, at_once);
    lws_cancel_service(server->listener.context);
}

void server_reload(struct server *server)
{
    server->wants_reload = 1;
    lws_cancel_service(server->listener.context);
}
