// What does one `a=` line add to the description being read? (between sdp_parse.c and the attribute files)
// SPDX-License-Identifier: MIT
#pragma once

#include <errno.h>

#include "rtp/sdp.h"

// A description half read.
struct sdp_parser {
    struct sdp *sdp;
    struct sdp_media *media;   // the m-section being read; NULL: still in the session part
    struct sdp_span attribute; // the attribute being read: "name" or "name:value"
    struct sdp_error error;    // line: the one being read; what: why it is refused
    bool has_origin;           // an o= line was read
    bool own_fingerprint;      // this part has a fingerprint itself, not only from the session
    uint8_t wildcard_feedback; // SDP_FB_ bits of `a=rtcp-fb:*` in this m-section
    int bundle_line;           // where a=group:BUNDLE was
};

// One attribute: where it counts and what reads its value. The reader returns 0 or what sdp_bad() or sdp_full()
// returned; an attribute marked for `media` only is never called while p->media is NULL.
struct sdp_attribute {
    const char *name;
    bool session, media;
    int (*parse)(struct sdp_parser *p, struct sdp_span value);
};

// Tables; each ends with a NULL name.
extern const struct sdp_attribute sdp_transport_attributes[];
extern const struct sdp_attribute sdp_rtp_attributes[];

// Malformed: -EBADMSG. Over a bound: -E2BIG.
int sdp_bad(struct sdp_parser *p, const char *what);
int sdp_full(struct sdp_parser *p, const char *what);

// RFC 8866 section 9: token. False when empty.
bool sdp_is_token(struct sdp_span s);
