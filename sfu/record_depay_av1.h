// How do AV1 payloads become a picture in a file? ("RTP Payload Format For AV1")
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/record_picture.h"

extern const struct record_depay_ops record_depay_av1;
