// Which STUN and TURN servers may this user use, and with which password?
// SPDX-License-Identifier: MIT
#include "signaling/ice_servers.h"

#include <glib.h>
#include <inttypes.h>

#include "signaling/crypto.h"

static json_t *url_array(char *const *urls)
{
    json_t *array = json_array();
    for (; *urls; urls++)
        json_array_append_new(array, json_string(*urls));
    return array;
}

// Takes urls.
static json_t *coturn(json_t *urls, const char *secret, int64_t ttl_s, const char *user, int64_t wall_ms)
{
    char *username = g_strdup_printf("%" PRId64 ":%s", wall_ms / 1000 + ttl_s, user);
    uint8_t mac[CRYPTO_SHA1_BYTES];
    crypto_hmac_sha1(secret, username, mac);
    char *credential = crypto_base64(mac, sizeof(mac));
    json_t *server = json_pack("{s:o, s:s, s:s}", "urls", urls, "username", username, "credential", credential);
    g_free(username);
    g_free(credential);
    return server;
}

static const char *secret_of(const json_t *server)
{
    return json_string_value(json_object_get(server, "secret"));
}

bool ice_servers_expire(const struct config *config)
{
    size_t i;
    json_t *server;
    json_array_foreach(config->turn_servers, i, server) if (secret_of(server)) return true;
    return config->turn_secret != NULL;
}

json_t *ice_servers(const struct config *config, const char *user, int64_t wall_ms)
{
    json_t *servers = json_array(), *server;
    size_t i;
    if (config->stun_servers && config->stun_servers[0])
        json_array_append_new(servers, json_pack("{s:o}", "urls", url_array(config->stun_servers)));
    json_array_foreach(config->turn_servers, i, server)
    {
        const char *secret = secret_of(server);
        json_t *urls = json_object_get(server, "urls");
        if (secret)
            json_array_append_new(servers, coturn(json_incref(urls), secret, config->turn_ttl, user, wall_ms));
        else
            json_array_append(servers, server);
    }
    if (config->turn_secret)
        json_array_append_new(
            servers, coturn(url_array(config->turn_urls), config->turn_secret, config->turn_ttl, user, wall_ms));
    return servers;
}
