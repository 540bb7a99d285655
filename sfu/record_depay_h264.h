// How do H.264 payloads become a picture in a file? (RFC 6184)
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/record_picture.h"

extern const struct record_depay_ops record_depay_h264;
