// What do the routes of the server itself do? (health, ICE servers)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"
#include "signaling/ice_servers.h"

void api_health(struct exchange *x)
{
    const struct hub *hub = x->hub;
    exchange_answer(x, hub->is_draining ? 503 : 200,
                    json_pack("{s:s, s:I, s:I, s:i, s:i, s:i}", "status", hub->is_draining ? "draining" : "ok",
                              "timestamp", (json_int_t)hub->wall_ms, "uptime",
                              (json_int_t)((hub->now_us - hub->started_us) / 1000000), "rooms",
                              (int)roster_room_count(&hub->roster), "participants",
                              (int)hub->roster.participant_count, "connections", (int)hub->sessions->len));
}

void api_get_ice_servers(struct exchange *x)
{
    const char *user = x->identity ? x->identity->user : "guest";
    exchange_answer(x, 200,
                    json_pack("{s:o, s:I}", "iceServers", ice_servers(x->hub->config, user, x->hub->wall_ms), "ttl",
                              (json_int_t)x->hub->config->turn_ttl));
}
