// What does a monitoring system read of the server? (Prometheus text format 0.0.4, or OpenMetrics 1.0.0)
// SPDX-License-Identifier: MIT
//
// Numbers only: no user, room, address or text is ever a label, and every label has a fixed set of values.
#pragma once

#include <glib.h>

#include "signaling/exchange.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

// The format an Accept header asks for; NULL: none.
enum metrics_format metrics_format(const char *accept);
const char *metrics_content_type(enum metrics_format format);

// Everything there is, to be freed by the caller.
GString *metrics_print(struct hub *hub, enum metrics_format format);

// Whether this request may read them: the bearer of METRICS_TOKEN or of a token that is host of every room; without
// METRICS_TOKEN also who asks from this machine itself.
bool metrics_may_read(const struct hub *hub, const struct http_request *request);
