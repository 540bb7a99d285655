// Where does libwebsockets listen, and what does it wait with?
// SPDX-License-Identifier: MIT
#include "signaling/listener.h"

#include "signaling/http.h"
#include "signaling/hub.h"
#include "signaling/log.h"

static void on_log(int level, const char *line)
{
    char *text = g_strchomp(g_strdup(line));
    log_line(level == LLL_ERR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "lws", "%s", text);
    g_free(text);
}

static void fill_headers(struct listener *listener)
{
    for (size_t i = 0; http_security_headers[i].name; i++) {
        g_assert(i < G_N_ELEMENTS(listener->headers));
        listener->headers[i].name = http_security_headers[i].name;
        listener->headers[i].value = http_security_headers[i].value;
        if (i > 0)
            listener->headers[i - 1].next = &listener->headers[i];
    }
}

// With epoll, if libwebsockets can: its own poll() asks about every connection at every turn.
static void create_context(struct listener *listener, struct lws_context_creation_info *info)
{
#ifdef LWS_WITH_LIBEV
    listener->loop = loop_new();
    void *loops[] = {loop_native(listener->loop)};
    info->foreign_loops = loops;
    info->options |= LWS_SERVER_OPTION_LIBEV;
    lws_set_log_level(0, on_log); // that there is no plugin is no fault
    listener->context = lws_create_context(info);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    if (listener->context)
        return log_info("loop", "connections are waited for with epoll");
    loop_free(listener->loop);
    listener->loop = NULL;
    info->foreign_loops = NULL;
    info->options &= ~LWS_SERVER_OPTION_LIBEV;
#endif
    log_info("loop", "connections are waited for with poll(): libwebsockets-evlib-ev is not installed");
    listener->context = lws_create_context(info);
}

static int add_timer(struct listener *listener, const char *protocol, unsigned every_ms)
{
    lws_sock_file_fd_type fd = {.filefd = loop_timer_new(every_ms)};
    g_assert(fd.filefd >= 0);
    struct lws *wsi = lws_adopt_descriptor_vhost(listener->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, protocol, NULL);
    g_assert(wsi);
    return fd.filefd;
}

bool listener_open(struct listener *listener, const struct config *config, const struct lws_protocols *protocols,
                   void *user, char *err, size_t err_size)
{
    struct lws_context_creation_info info = {
        .port = (int)config->port,
        .iface = config->bind,
        .protocols = protocols,
        .user = user,
        .headers = listener->headers,
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
    fill_headers(listener);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    create_context(listener, &info);
    if (listener->context)
        listener->vhost = lws_create_vhost(listener->context, &info);
    if (listener->vhost) {
        listener->ticker = add_timer(listener, protocols[0].name, TICK_EVERY_MS);
        listener->alarm = add_timer(listener, protocols[0].name, 0);
        return true;
    }
    g_snprintf(err, err_size, "cannot listen on %s port %d%s: is another server there? (PORT, BIND%s)",
               config->bind ? config->bind : "*", (int)config->port, config->tls_cert ? " with that certificate" : "",
               config->tls_cert ? ", TLS_CERT, TLS_KEY" : "");
    return false;
}

void listener_close(struct listener *listener)
{
    lws_context_destroy(listener->context);
    loop_free(listener->loop);
}

int listener_port(const struct listener *listener)
{
    return lws_get_vhost_listen_port(listener->vhost);
}

bool listener_turn(struct listener *listener)
{
    if (!listener->loop)
        return lws_service(listener->context, 0) >= 0;
    loop_turn(listener->loop);
    return true;
}

void listener_wake_in(struct listener *listener, int64_t us)
{
    loop_timer_set(listener->alarm, us);
}

bool listener_ticked(const struct listener *listener)
{
    loop_timer_take(listener->alarm);
    return loop_timer_take(listener->ticker);
}
