// How do HTTP and WebSocket come in from the network? (the only file that knows libwebsockets)
// SPDX-License-Identifier: MIT
#include "signaling/server.h"

#include <libwebsockets.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "signaling/commands.h"
#include "signaling/hub.h"
#include "signaling/log.h"
#include "signaling/site.h"

enum {
    HEADERS_OUT = 4096, // bytes of an answer's headers
    BODY_PIECE = 16384, // bytes of a body written at a time
    FILES_MAX = 65536,  // libwebsockets reserves memory for each descriptor the process may open
    PATH_SIZE = 1024,
};

struct server {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct hub *hub; // NULL: not serving
    struct site *site;
    lws_sorted_usec_list_t tick;
    volatile sig_atomic_t is_stopping;
    int64_t drained_us; // when a stopping server waits no longer; 0: not stopping yet
    bool is_tls;
    char url[320];
    struct lws_protocol_vhost_options headers[16];
};

// A message on its way out; the text follows LWS_PRE bytes of room for the frame's header.
struct outgoing {
    size_t len;
    unsigned char bytes[];
};

struct socket {
    struct server *server;
    struct lws *wsi;
    struct session *session; // NULL: it is gone already
    const struct dialect *dialect;
    struct identity identity;
    bool has_identity;
    GByteArray *in; // the message so far
    GQueue out;     // of struct outgoing
    size_t out_bytes;
    bool wants_ping, is_closing;
    uint16_t close_code, peer_code;
    char close_reason[100]; // 123 bytes at most (RFC 6455 section 5.5)
};

struct visit {
    char path[PATH_SIZE], host[256], origin[256], authorization[TOKEN_MAX + 16], content_type[128];
    char if_none_match[128], address[64];
    struct http_request request;
    struct http_response response;
    GByteArray *body;
    size_t written;
    bool is_last; // the rest of the request is not read, so the connection cannot be used again
};

// What libwebsockets keeps for each connection.
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

// ---- WebSocket: out
// ------------------------------------------------------------------------------------------------

static void close_socket(struct socket *socket, uint16_t code, const char *reason)
{
    if (socket->is_closing)
        return;
    socket->is_closing = true;
    socket->close_code = code;
    g_strlcpy(socket->close_reason, reason, sizeof(socket->close_reason));
    lws_set_timeout(socket->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_PATIENCE_S);
    lws_callback_on_writable(socket->wsi);
}

static void out_send(void *arg, const char *text)
{
    struct socket *socket = arg;
    size_t len = strlen(text);
    if (socket->is_closing)
        return;
    if (socket->out_bytes + len > OUTPUT_MAX) {
        log_warn("ws", "a client reads too slowly: %zu bytes are waiting", socket->out_bytes);
        g_queue_clear_full(&socket->out, g_free);
        return close_socket(socket, CLOSE_POLICY, "too slow");
    }
    struct outgoing *message = g_malloc(sizeof(*message) + LWS_PRE + len);
    message->len = len;
    memcpy(message->bytes + LWS_PRE, text, len);
    g_queue_push_tail(&socket->out, message);
    socket->out_bytes += len;
    lws_callback_on_writable(socket->wsi);
}

static void out_ping(void *arg)
{
    struct socket *socket = arg;
    socket->wants_ping = true;
    lws_callback_on_writable(socket->wsi);
}

static void out_close(void *arg, uint16_t code, const char *reason)
{
    close_socket(arg, code, reason);
}

static const struct session_output output = {out_send, out_ping, out_close};

static int close_now(struct socket *socket)
{
    lws_close_reason(socket->wsi, (enum lws_close_status)socket->close_code, (unsigned char *)socket->close_reason,
                     strlen(socket->close_reason));
    return -1;
}

// One frame per turn, so that no socket keeps the others waiting.
static int socket_write(struct socket *socket)
{
    unsigned char nothing[LWS_PRE];
    struct outgoing *message = g_queue_pop_head(&socket->out);
    if (!message && socket->is_closing)
        return close_now(socket);
    int rc = 0;
    if (message) {
        socket->out_bytes -= message->len;
        rc = lws_write(socket->wsi, message->bytes + LWS_PRE, message->len, LWS_WRITE_TEXT);
        g_free(message);
    } else if (socket->wants_ping) {
        socket->wants_ping = false;
        rc = lws_write(socket->wsi, nothing + LWS_PRE, 0, LWS_WRITE_PING);
    }
    if (!g_queue_is_empty(&socket->out) || socket->wants_ping || socket->is_closing)
        lws_callback_on_writable(socket->wsi);
    return rc < 0 ? -1 : 0;
}

// ---- WebSocket: in
// -------------------------------------------------------------------------------------------------

static int socket_read(struct socket *socket, const void *in, size_t len)
{
    if (socket->is_closing || !socket->session)
        return 0;
    if (socket->in->len + len > MESSAGE_MAX) {
        close_socket(socket, CLOSE_TOO_BIG, "a message has at most 65536 bytes");
        return 0;
    }
    g_byte_array_append(socket->in, in, (guint)len);
    if (!lws_is_final_fragment(socket->wsi) || lws_remaining_packet_payload(socket->wsi) > 0)
        return 0;
    // A binary message is taken for an empty one: refused, and counted like every other.
    size_t text_len = lws_frame_is_binary(socket->wsi) ? 0 : socket->in->len;
    command_rx(socket->session, (const char *)socket->in->data, text_len);
    g_byte_array_set_size(socket->in, 0);
    return 0;
}

static void socket_heard(struct socket *socket)
{
    if (socket->session)
        socket->session->heard_us = socket->server->hub->now_us;
}

static void socket_closed(struct socket *socket)
{
    if (socket->session)
        hub_lost(socket->session, socket->peer_code);
    g_byte_array_free(socket->in, TRUE);
    g_queue_clear_full(&socket->out, g_free);
    identity_clear(&socket->identity);
    g_free(socket);
}

// ---- HTTP: in
// ------------------------------------------------------------------------------------------------------

static const char *read_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size)
{
    return lws_hdr_copy(wsi, out, size, token) > 0 ? out : NULL;
}

static struct visit *visit_new(struct lws *wsi, enum http_method method, const char *path, bool is_tls)
{
    struct visit *visit = g_new0(struct visit, 1);
    g_strlcpy(visit->path, path, sizeof(visit->path));
    lws_get_peer_simple(wsi, visit->address, sizeof(visit->address));
    visit->request = (struct http_request){
        .method = method,
        .path = visit->path,
        .host = read_header(wsi, WSI_TOKEN_HOST, visit->host, sizeof(visit->host)),
        .origin = read_header(wsi, WSI_TOKEN_ORIGIN, visit->origin, sizeof(visit->origin)),
        .authorization =
            read_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, visit->authorization, sizeof(visit->authorization)),
        .content_type =
            read_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, visit->content_type, sizeof(visit->content_type)),
        .if_none_match =
            read_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, visit->if_none_match, sizeof(visit->if_none_match)),
        .address = visit->address,
        .is_tls = is_tls,
    };
    visit->body = g_byte_array_new();
    return visit;
}

static void visit_free(struct visit *visit)
{
    if (!visit)
        return;
    http_response_clear(&visit->response);
    g_byte_array_free(visit->body, TRUE);
    g_free(visit);
}

// ---- HTTP: out
// -----------------------------------------------------------------------------------------------------

struct header_writer {
    struct lws *wsi;
    unsigned char buffer[LWS_PRE + HEADERS_OUT], *at, *end;
    bool ok;
};

static void write_header(struct header_writer *w, const char *name, const char *value)
{
    w->ok = w->ok && (!value[0] ||
                      lws_add_http_header_by_name(w->wsi, (const unsigned char *)name, (const unsigned char *)value,
                                                  (int)strlen(value), &w->at, w->end) == 0);
}

static bool write_headers(struct lws *wsi, const struct http_response *response, bool is_last)
{
    struct header_writer w = {.wsi = wsi, .ok = true};
    unsigned char *start = w.buffer + LWS_PRE;
    w.at = start;
    w.end = w.buffer + sizeof(w.buffer) - 1;
    w.ok = lws_add_http_common_headers(wsi, (unsigned)response->status, response->content_type, response->body_len,
                                       &w.at, w.end) == 0;
    write_header(&w, "cache-control:", "no-cache");
    write_header(&w, "etag:", response->etag);
    write_header(&w, "allow:", response->allow);
    write_header(&w, "access-control-allow-origin:", response->allowed);
    write_header(&w, "vary:", "Origin");
    write_header(&w, "connection:", is_last ? "close" : "");
    if (response->is_preflight) {
        write_header(&w, "access-control-allow-methods:", "GET, POST, PATCH, DELETE");
        write_header(&w, "access-control-allow-headers:", "Authorization, Content-Type");
        write_header(&w, "access-control-max-age:", "600");
    }
    return w.ok && lws_finalize_write_http_header(wsi, start, &w.at, w.end) == 0;
}

static int visit_end(struct lws *wsi, const struct visit *visit)
{
    return visit->is_last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

// Writes a piece of the body; the connection is free for the next request after the last.
static int visit_write(struct lws *wsi, struct visit *visit)
{
    unsigned char piece[LWS_PRE + BODY_PIECE];
    const struct http_response *response = &visit->response;
    size_t left = response->body_len - visit->written;
    size_t len = left < BODY_PIECE ? left : BODY_PIECE;
    bool is_last = len == left;
    memcpy(piece + LWS_PRE, response->body + visit->written, len);
    visit->written += len;
    if (lws_write(wsi, piece + LWS_PRE, len, is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    if (is_last)
        return visit_end(wsi, visit);
    lws_callback_on_writable(wsi);
    return 0;
}

static int visit_answer(struct lws *wsi, const struct visit *visit)
{
    const struct http_response *response = &visit->response;
    log_debug("http", "%s %s: %d", http_method_name(visit->request.method), visit->path, response->status);
    if (!write_headers(wsi, response, visit->is_last))
        return -1;
    if (response->body_len == 0 || visit->request.method == HTTP_HEAD)
        return visit_end(wsi, visit);
    lws_callback_on_writable(wsi);
    return 0;
}

static int visit_serve(struct server *server, struct lws *wsi, struct visit *visit)
{
    g_byte_array_append(visit->body, (const guint8 *)"", 1);
    visit->request.body = (const char *)visit->body->data;
    visit->request.body_len = visit->body->len - 1;
    site_serve(server->site, &visit->request, &visit->response);
    return visit_answer(wsi, visit);
}

// ---- HTTP: a request ----------------------------------------------------------------------------------------------

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

static int refuse(struct lws *wsi, struct visit *visit, int status, const char *code, const char *message)
{
    visit->is_last = true;
    http_error(&visit->response, status, code, "%s", message);
    return visit_answer(wsi, visit);
}

static int http_begin(struct server *server, struct lws *wsi, struct connection *connection, const char *path,
                      size_t path_len)
{
    enum http_method method;
    char length[24] = "";
    if (!read_method(wsi, &method))
        return lws_return_http_status(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED, NULL) ? -1 : 0;
    visit_free(connection->visit);
    struct visit *visit = connection->visit = visit_new(wsi, method, path, server->is_tls);
    if (strlen(visit->path) != path_len)
        return refuse(wsi, visit, 400, "bad-request", "the path is too long or has a NUL in it");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return refuse(wsi, visit, 400, "bad-request", "send a Content-Length instead of chunks");
    bool has_length = lws_hdr_copy(wsi, length, sizeof(length), WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
    int64_t body_len = has_length ? g_ascii_strtoll(length, NULL, 10) : 0;
    if (body_len < 0 || body_len > HTTP_BODY_MAX)
        return refuse(wsi, visit, 413, "too-big", "a body has at most 65536 bytes");
    // Without a length libwebsockets would take whatever comes next for the body of a POST.
    visit->is_last = !has_length && method != HTTP_GET && method != HTTP_HEAD;
    return body_len > 0 ? 0 : visit_serve(server, wsi, visit);
}

static int http_body(struct visit *visit, const void *in, size_t len)
{
    if (!visit || visit->body->len + len > HTTP_BODY_MAX)
        return -1;
    if (visit->response.status) // answered already: what still comes is not read
        return 0;
    g_byte_array_append(visit->body, in, (guint)len);
    return 0;
}

static int http_body_end(struct server *server, struct lws *wsi, struct visit *visit)
{
    if (!visit)
        return -1;
    return visit->response.status ? 0 : visit_serve(server, wsi, visit);
}

// ---- the upgrade
// ---------------------------------------------------------------------------------------------------

static bool read_identity(struct server *server, struct lws *wsi, const struct visit *visit, struct socket *socket,
                          struct http_response *response)
{
    const struct hub *hub = server->hub;
    char argument[TOKEN_MAX + 16], why[120];
    const char *token = lws_get_urlarg_by_name(wsi, "token=", argument, sizeof(argument));
    if (!token)
        token = http_bearer(visit->request.authorization);
    if (!token || auth_is_open(hub->auth))
        return true;
    socket->has_identity = auth_verify(hub->auth, token, hub->wall_ms, &socket->identity, why, sizeof(why)) == 0;
    if (!socket->has_identity)
        http_error(response, 401, "unauthorized", "%s", why);
    return socket->has_identity;
}

static bool read_dialect(struct lws *wsi, struct socket *socket, struct http_response *response)
{
    char argument[32];
    const char *name = lws_get_urlarg_by_name(wsi, "dialect=", argument, sizeof(argument));
    socket->dialect = name ? dialect_find(name) : NULL;
    if (name && !socket->dialect)
        http_error(response, 400, "bad-field", "dialect: not one this server speaks");
    return !name || socket->dialect;
}

static bool may_upgrade(struct server *server, struct lws *wsi, const struct visit *visit, struct socket *socket,
                        struct http_response *response)
{
    const struct http_request *request = &visit->request;
    if (strcmp(request->path, "/ws") != 0)
        http_error(response, 404, "not-found", "the WebSocket is at /ws");
    else if (!http_origin_may_connect(server->hub->config, request->origin, request->host))
        http_error(response, 403, "forbidden", "pages of %s may not use this server (FRONTEND_URL)", request->origin);
    else if (hub_is_full(server->hub))
        http_error(response, 503, "busy", "no place for another connection (MAX_CONNECTIONS)");
    else
        return read_dialect(wsi, socket, response) && read_identity(server, wsi, visit, socket, response);
    return false;
}

// 0: go on. 1: refused and answered.
static int confirm_upgrade(struct server *server, struct lws *wsi)
{
    char path[PATH_SIZE] = "";
    lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI);
    struct visit *visit = visit_new(wsi, HTTP_GET, path, server->is_tls);
    struct socket *socket = g_new0(struct socket, 1);
    socket->server = server;
    socket->wsi = wsi;
    socket->in = g_byte_array_new();
    g_queue_init(&socket->out);
    if (may_upgrade(server, wsi, visit, socket, &visit->response)) {
        lws_set_opaque_user_data(wsi, socket); // there is no struct connection before the upgrade is done
        visit_free(visit);
        return 0;
    }
    socket_closed(socket);
    bool ok =
        write_headers(wsi, &visit->response, true) &&
        lws_write(wsi, (unsigned char *)visit->response.body, visit->response.body_len, LWS_WRITE_HTTP_FINAL) >= 0;
    visit_free(visit);
    return ok ? 1 : -1;
}

// ---- what libwebsockets tells
// --------------------------------------------------------------------------------------

static int websocket_event(struct server *server, struct connection *connection, enum lws_callback_reasons reason,
                           const void *in, size_t len)
{
    struct socket *socket = connection ? connection->socket : NULL;
    if (!socket) // an upgrade that was never done
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        socket->session = session_new(server->hub, &output, socket, socket->dialect,
                                      socket->has_identity ? &socket->identity : NULL);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return socket_read(socket, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        socket_heard(socket);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return socket_write(socket);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        if (len >= 2)
            socket->peer_code = (uint16_t)(((const uint8_t *)in)[0] << 8 | ((const uint8_t *)in)[1]);
        return 0;
    case LWS_CALLBACK_CLOSED:
        socket_closed(socket);
        connection->socket = NULL;
        return 0;
    default:
        return 0;
    }
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
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return http_begin(server, wsi, connection, in, len);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(connection->visit, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_end(server, wsi, connection->visit);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return connection->visit ? visit_write(wsi, connection->visit) : 0;
    default:
        return http_end(connection);
    }
}

// The socket of an upgrade that is confirmed but not done; NULL when there is none.
static struct socket *take_upgrading(struct lws *wsi)
{
    struct socket *socket = lws_get_opaque_user_data(wsi);
    lws_set_opaque_user_data(wsi, NULL);
    return socket;
}

static int destroyed(struct lws *wsi)
{
    struct socket *socket = take_upgrading(wsi); // the handshake was wrong after all
    if (socket)
        socket_closed(socket);
    return 0;
}

// Before and after the server serves there is nothing to do but to free what a connection has left.
static int end_event(struct connection *connection, enum lws_callback_reasons reason)
{
    if (reason == LWS_CALLBACK_CLOSED && connection && connection->socket)
        socket_closed(connection->socket);
    if (reason == LWS_CALLBACK_CLOSED_HTTP || reason == LWS_CALLBACK_HTTP_DROP_PROTOCOL)
        return http_end(connection);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_WSI_DESTROY)
        return destroyed(wsi);
    if (!server->site)
        return end_event(user, reason);
    set_time(server);
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(server, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        ((struct connection *)user)->socket = take_upgrading(wsi);
        return websocket_event(server, user, reason, in, len);
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
        return websocket_event(server, user, reason, in, len);
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        return http_event(server, wsi, user, reason, in, len);
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        hub_rx_sfu(server->hub);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "roda",
     .callback = on_event,
     .per_session_data_size = sizeof(struct connection),
     .rx_buffer_size = 4096},
    {0},
};

// ---- the server
// ----------------------------------------------------------------------------------------------------

static void on_log(int level, const char *line)
{
    char *text = g_strchomp(g_strdup(line));
    log_line(level == LLL_ERR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "lws", "%s", text);
    g_free(text);
}

static void bound_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > FILES_MAX) {
        limit.rlim_cur = FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void fill_headers(struct server *server)
{
    for (size_t i = 0; http_security_headers[i].name; i++) {
        g_assert(i < G_N_ELEMENTS(server->headers));
        server->headers[i].name = http_security_headers[i].name;
        server->headers[i].value = http_security_headers[i].value;
        if (i > 0)
            server->headers[i - 1].next = &server->headers[i];
    }
}

static void print_url(struct server *server, const struct config *config)
{
    const char *host = config->bind && !http_address_is_loopback(config->bind) ? config->bind : "localhost";
    bool is_ipv6 = strchr(host, ':') != NULL;
    g_snprintf(server->url, sizeof(server->url), "%s://%s%s%s:%d", server->is_tls ? "https" : "http",
               is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", lws_get_vhost_listen_port(server->vhost));
}

static bool listen_on(struct server *server, const struct config *config, char *err, size_t err_size)
{
    struct lws_context_creation_info info = {
        .port = (int)config->port,
        .iface = config->bind,
        .protocols = protocols,
        .user = server,
        .headers = server->headers,
        .server_string = "roda",
        .vhost_name = "default",
        .max_http_header_data = HEADER_BYTES_MAX,
        .alpn = "http/1.1",
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
    };
    if (config->tls_cert) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = config->tls_cert;
        info.ssl_private_key_filepath = config->tls_key;
    }
    server->context = lws_create_context(&info);
    if (server->context)
        server->vhost = lws_create_vhost(server->context, &info);
    if (server->vhost)
        return true;
    g_snprintf(err, err_size, "cannot listen on %s port %d%s: is another server there? (PORT, BIND%s)",
               config->bind ? config->bind : "*", (int)config->port, config->tls_cert ? " with that certificate" : "",
               config->tls_cert ? ", TLS_CERT, TLS_KEY" : "");
    return false;
}

struct server *server_new(const struct config *config, char *err, size_t err_size)
{
    struct server *server = g_new0(struct server, 1);
    server->is_tls = config->tls_cert != NULL;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    bound_files();
    fill_headers(server);
    if (!listen_on(server, config, err, err_size)) {
        server_free(server);
        return NULL;
    }
    print_url(server, config);
    return server;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    if (server->context)
        lws_context_destroy(server->context);
    g_free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

static void on_tick(lws_sorted_usec_list_t *tick)
{
    struct server *server = lws_container_of(tick, struct server, tick);
    set_time(server);
    hub_tick(server->hub);
    lws_sul_schedule(server->context, 0, &server->tick, on_tick, TICK_EVERY_MS * LWS_US_PER_MS);
}

static bool has_drained(struct server *server)
{
    struct hub *hub = server->hub;
    set_time(server);
    if (server->drained_us == 0) {
        server->drained_us = hub->now_us + DRAIN_MS * INT64_C(1000);
        hub_drain(hub);
    }
    return hub->sessions->len == 0 || hub->now_us >= server->drained_us;
}

void server_run(struct server *server, struct hub *hub)
{
    server->hub = hub;
    set_time(server);
    hub->started_us = hub->now_us;
    server->site = site_new(hub);
    on_tick(&server->tick);
    hub_rx_sfu(hub); // it may have woken us before we were there
    while (!server->is_stopping || !has_drained(server))
        if (lws_service(server->context, 0) < 0)
            break;
    lws_sul_cancel(&server->tick);
    while (hub->sessions->len > 0) {
        struct session *session = hub->sessions->pdata[0];
        ((struct socket *)session->output_arg)->session = NULL;
        hub_lost(session, CLOSE_GOING_AWAY);
    }
    site_free(server->site);
    server->site = NULL;
}

void server_wake(void *arg)
{
    struct server *server = arg;
    lws_cancel_service(server->context);
}

void server_stop(struct server *server)
{
    server->is_stopping = 1;
    lws_cancel_service(server->context);
}
