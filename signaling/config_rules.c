// What must the text of a setting look like, and may it be shown?
// SPDX-License-Identifier: MIT
#include "signaling/config_rules.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

enum { SIGNING_KEY_BYTES = 32 }; // RFC 7518 section 3.2: of HS256, as long as the hash or longer

static const char MASK[] = "***";

// ---- shapes -------------------------------------------------------------------------------------------------

static bool is_address(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_bind(const char *text)
{
    return is_address(text) || strcmp(text, "localhost") == 0;
}

static bool is_port(const char *text)
{
    char *end;
    gint64 port = g_ascii_strtoll(text, &end, 10);
    return g_ascii_isdigit(*text) && *end == '\0' && port >= 1 && port <= 65535;
}

static bool is_host_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr(".-_", text[i]))
            return false;
    return len > 0 && len <= 253;
}

// "host" or "[::1]", and "port" behind the colon if there is one.
static bool is_host_port(const char *text, bool needs_port)
{
    const char *colon = strrchr(text, ':');
    if (*text == '[') {
        const char *bracket = strchr(text, ']');
        char *inside = bracket ? g_strndup(text + 1, (gsize)(bracket - text - 1)) : NULL;
        bool ok =
            inside && is_address(inside) && (bracket[1] == ':' ? is_port(bracket + 2) : !needs_port && !bracket[1]);
        g_free(inside);
        return ok;
    }
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    return is_host_name(text, len) && (colon ? is_port(colon + 1) : !needs_port);
}

static bool needs_host_port(const char *text)
{
    return *text != '[' && is_host_port(text, true);
}

// "scheme:host:port?transport=udp" (RFC 7064, RFC 7065).
static bool is_ice_url(const char *text, const char *scheme, const char *secure)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return false;
    char *name = g_strndup(text, (gsize)(colon - text));
    bool ok = strcmp(name, scheme) == 0 || strcmp(name, secure) == 0;
    g_free(name);
    const char *query = strchr(colon, '?');
    char *host = query ? g_strndup(colon + 1, (gsize)(query - colon - 1)) : g_strdup(colon + 1);
    ok = ok && is_host_port(host, false);
    g_free(host);
    return ok && (!query || strcmp(query, "?transport=udp") == 0 || strcmp(query, "?transport=tcp") == 0);
}

static bool is_stun_url(const char *text)
{
    return is_ice_url(text, "stun", "stuns") && !strchr(text, '?');
}

static bool is_turn_url(const char *text)
{
    return is_ice_url(text, "turn", "turns");
}

static bool is_ice_server(const char *text)
{
    return is_stun_url(text) || is_turn_url(text);
}

static bool is_folder(const char *text)
{
    return g_file_test(text, G_FILE_TEST_IS_DIR);
}

static bool is_signing_key(const char *text)
{
    return strlen(text) >= SIGNING_KEY_BYTES;
}

static bool is_bearer(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c))
            return false;
    return strlen(text) >= 8;
}

// ---- rules --------------------------------------------------------------------------------------------------

static bool is_cipher_engine(const char *text)
{
    static const char *const engines[] = {"auto", "libsrtp", "ipsec-mb", NULL};
    return g_strv_contains(engines, text);
}

static const struct rule {
    const char *key;
    bool (*is_fine)(const char *text);
    const char *fault;
} rules[] = {
    {"BIND", is_bind, "it is not an IP address"},
    {"WEB_DIR", is_folder, "there is no such folder"},
    {"JWT_SECRET", is_signing_key,
     "it is shorter than 32 bytes, so it can be guessed; make one with `openssl rand -hex 32`"},
    {"STUN_SERVERS", is_stun_url, "each must be stun:host, stun:host:port or stuns:..."},
    {"TURN_URLS", is_turn_url, "each must be turn:host:port, turns:..., perhaps with ?transport=udp or tcp"},
    {"TURN_SERVERS", is_ice_server, "urls must be turn:host:port, turns:... or stun:..."},
    {"MEDIA_BIND", is_address, "each must be an IP address of this machine"},
    {"MEDIA_STUN", needs_host_port, "it must be host:port"},
    {"ANNOUNCED_ADDRESS", is_address, "it is not an IP address"},
    {"CIPHER_ENGINE", is_cipher_engine, "it is auto, libsrtp or ipsec-mb"},
    {"METRICS_TOKEN", is_bearer, "it needs 8 characters or more, without spaces"},
};

const char *config_rule_fault(const char *key, const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (strcmp(rules[i].key, key) == 0 && !rules[i].is_fine(text))
            return rules[i].fault;
    return NULL;
}

// ---- what may be shown --------------------------------------------------------------------------------------

bool config_rule_is_secret(const char *key)
{
    return g_str_has_suffix(key, "_SECRET") || g_str_has_suffix(key, "_TOKEN") || g_str_has_suffix(key, "_PASSWORD");
}

// "postgres://user:password@host/": what stands between the colon and the last @ of the authority.
static char *mask_url(const char *text)
{
    const char *slashes = strstr(text, "://");
    const char *authority = slashes ? slashes + 3 : text;
    char *host = g_strndup(authority, strcspn(authority, "/?#"));
    const char *at = slashes ? strrchr(host, '@') : NULL, *colon = at ? strchr(host, ':') : NULL;
    char *masked = colon && colon < at ? g_strdup_printf("%.*s%.*s:%s%s", (int)(authority - text), text,
                                                         (int)(colon - host), host, MASK, authority + (at - host))
                                       : g_strdup(text);
    g_free(host);
    return masked;
}

char *config_rule_mask(const char *key, const char *text)
{
    bool is_private = config_rule_is_secret(key) || strstr(text, "PRIVATE KEY");
    return is_private ? g_strdup(MASK) : mask_url(text);
}

// ---- urls that are posted to -------------------------------------------------------------------------------

bool config_url_is_safe(const char *url, bool is_insecure)
{
    char *scheme = NULL, *host = NULL;
    bool ok = g_uri_split(url, G_URI_FLAGS_NONE, &scheme, NULL, &host, NULL, NULL, NULL, NULL, NULL) && host && *host;
    bool is_ip = ok && g_hostname_is_ip_address(host);
    bool is_here = ok && (strcmp(host, "localhost") == 0 ||
                          (is_ip && (g_str_has_prefix(host, "127.") || strcmp(host, "::1") == 0)));
    ok = ok && (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && (is_here || is_insecure)));
    g_free(scheme);
    g_free(host);
    return ok;
}
