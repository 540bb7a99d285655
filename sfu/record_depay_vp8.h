// How do VP8 payloads become a picture in a file? (RFC 7741)
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/record_picture.h"

extern const struct record_depay_ops record_depay_vp8;
