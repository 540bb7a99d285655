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

static json_t *coturn(const struct config *config, const char *user, int64_t wall_ms)
{
    char *username = g_strdup_printf("%" PRId64 ":%s", wall_ms / 1000 + config->turn_ttl, user);
    uint8_t mac[CRYPTO_SHA1_BYTES];
    crypto_hmac_sha1(config->turn_secret, username, mac);
    char *credential = crypto_base64(mac, sizeof(mac));
    json_t *server = json_pack("{s:o, s:s, s:s}", "urls", url_array(config->turn_urls), "username", username,
                               "credential", credential);
    g_free(username);
    g_free(credential);
    return server;
}

json_t *ice_servers(const struct config *config, const char *user, int64_t wall_ms)
{
    json_t *servers = json_array();
    if (config->stun_servers && config->stun_servers[0])
        json_array_append_new(servers, json_pack("{s:o}", "urls", url_array(config->stun_servers)));
    json_array_extend(servers, config->turn_servers);
    if (config->turn_secret)
        json_array_append_new(servers, coturn(config, user, wall_ms));
    return servers;
}
