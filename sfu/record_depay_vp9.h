// How do VP9 payloads become a picture in a file? (RFC 9628)
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/record_picture.h"

extern const struct record_depay_ops record_depay_vp9;
