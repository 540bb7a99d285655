// What does one browser's ICE agent do? (libnice behind this file; inside ice*)
// SPDX-License-Identifier: MIT
//
// ICE thread only. Answers go to the agent's mailbox as ice.h describes them.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/ice.h"

struct ice_agent;

struct ice_agent_options {
    const struct ice_config *config; // outlives the agents
    GMainContext *context;           // the agent's own, iterated by the ICE thread
    bool twins;                      // ice_twin_try()
};

// Gathers host candidates at once and posts ICE_LOCAL and the ICE_TWINs; what a STUN server tells comes later. An
// agent that finds no address or no free port posts ICE_FAILED.
struct ice_agent *ice_agent_new(const struct ice_agent_options *options, uint64_t id, struct mailbox *reply);
void ice_agent_free(struct ice_agent *agent); // posts ICE_CLOSED

void ice_agent_remote(struct ice_agent *agent, const char *ufrag, const char *pwd);
void ice_agent_restart(struct ice_agent *agent);
void ice_agent_candidate(struct ice_agent *agent, const char *line); // "": end of candidates
void ice_agent_moved(struct ice_agent *agent, const union sockaddr_any *local, const union sockaddr_any *remote);
void ice_agent_send(struct ice_agent *agent, const void *data, size_t len);
