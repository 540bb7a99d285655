// Which words of SDP stand for which of our values? Tables shared by the parser and the writer.
// SPDX-License-Identifier: MIT
#pragma once

#include "rtp/sdp.h"

// One pair of a word and its value; a table ends with a NULL word.
struct sdp_name {
    const char *name;
    int value;
};

extern const struct sdp_name sdp_kind_names[];      // enum sdp_kind, all but SDP_OTHER
extern const struct sdp_name sdp_direction_names[]; // enum sdp_direction
extern const struct sdp_name sdp_setup_names[];     // enum sdp_setup, all but SDP_SETUP_NONE
extern const struct sdp_name sdp_hash_names[];      // enum sdp_hash, all but SDP_HASH_NONE; without case
extern const struct sdp_name sdp_feedback_names[];  // SDP_FB_ bits
extern const struct sdp_name sdp_semantics_names[]; // enum sdp_semantics

// The word's value, or -1. The value's word, or NULL.
int sdp_name_value(const struct sdp_name *table, struct sdp_span name);
const char *sdp_name_text(const struct sdp_name *table, int value);

// Bytes a hash yields; 0 for SDP_HASH_NONE.
uint8_t sdp_hash_len(enum sdp_hash hash);

// Fills name, clock and channels of a payload type that needs no rtpmap (RFC 3551 section 6, tables 4 and 5).
void sdp_codec_static(struct sdp_codec *codec, enum sdp_kind kind);
