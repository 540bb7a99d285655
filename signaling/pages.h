// Which file is the page, and which files does it need? (WEB_DIR, read-only)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/http.h"

// Answers a GET or HEAD for the page (every path a person may be given, protocol.md section 7) or for a file of
// WEB_DIR; false when the path is neither.
bool pages_serve(const struct config *config, const struct http_request *request, struct http_response *response);
