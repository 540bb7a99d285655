// How does a link become a picture a phone can read? (QR code as a PNG in a data: URL)
// SPDX-License-Identifier: MIT
#pragma once

enum {
    QR_MODULE_PIXELS = 8, // side of one module
    QR_QUIET_MODULES = 4, // margin (ISO/IEC 18004 section 5.3.8: four modules on all sides)
};

// "data:image/png;base64,...", to be freed with g_free(); NULL when the text is too long for a QR code.
char *qr_data_url(const char *text);
