// What do the routes of the server itself do? (health, ICE servers)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"
#include "signaling/ice_servers.h"
#include "signaling/store.h"

// One word for each part; the first that is not well decides for the whole.
struct vitals {
    const char *media, *store, *all;
    bool is_well;
};

static struct vitals take_vitals(const struct hub *hub)
{
    struct store_health store = store_health(hub->store);
    bool media_stuck = load_is_stuck(&hub->load, hub->now_us), store_stuck = hub->store && store.is_stuck;
    struct vitals v = {.media = media_stuck ? "stuck" : "ok"};
    v.store = !hub->store ? "off" : store_stuck ? "stuck" : store.is_degraded ? "degraded" : "ok";
    v.is_well = !hub->is_draining && !media_stuck && !store_stuck;
    v.all = hub->is_draining ? "draining" : v.is_well ? "ok" : "stuck";
    return v;
}

void api_health(struct exchange *x)
{
    const struct hub *hub = x->hub;
    struct vitals v = take_vitals(hub);
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:s, s:i, s:i, s:i, s:{s:s, s:i}, s:{s:s}}", "status", v.all, "timestamp",
                  (json_int_t)hub->wall_ms, "uptime", (json_int_t)((hub->now_us - hub->started_us) / 1000000),
                  "version", RODA_VERSION, "rooms", (int)roster_room_count(&hub->roster), "participants",
                  (int)hub->roster.participant_count, "connections", (int)hub->sessions->len, "media", "status",
                  v.media, "workers", (int)hub->load.worker_count, "store", "status", v.store);
    if (hub->is_draining)
        json_object_set_new(json, "secondsLeft", json_integer(MAX(hub->drain_until_us - hub->now_us, 0) / 1000000));
    exchange_answer(x, v.is_well ? 200 : 503, json);
}

void api_get_ice_servers(struct exchange *x)
{
    const char *user = x->identity ? x->identity->user : "guest";
    exchange_answer(x, 200,
                    json_pack("{s:o, s:I}", "iceServers", ice_servers(x->hub->config, user, x->hub->wall_ms), "ttl",
                              (json_int_t)x->hub->config->turn_ttl));
}
