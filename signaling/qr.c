// How does a link become a picture a phone can read? (QR code as a PNG in a data: URL)
// SPDX-License-Identifier: MIT
#include "signaling/qr.h"

#include <glib.h>
#include <png.h>
#include <qrencode.h>
#include <string.h>

#include "signaling/crypto.h"

// One byte of grey per pixel, black on white.
static uint8_t *draw(const QRcode *code, unsigned side)
{
    uint8_t *pixels = g_malloc(side * side);
    memset(pixels, 0xff, side * side);
    for (unsigned y = 0; y < side; y++) {
        for (unsigned x = 0; x < side; x++) {
            int row = (int)(y / QR_MODULE_PIXELS) - QR_QUIET_MODULES;
            int column = (int)(x / QR_MODULE_PIXELS) - QR_QUIET_MODULES;
            bool is_inside = row >= 0 && row < code->width && column >= 0 && column < code->width;
            if (is_inside && (code->data[row * code->width + column] & 1))
                pixels[y * side + x] = 0;
        }
    }
    return pixels;
}

char *qr_data_url(const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code)
        return NULL;
    unsigned side = (unsigned)(code->width + 2 * QR_QUIET_MODULES) * QR_MODULE_PIXELS;
    uint8_t *pixels = draw(code, side);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = side, .height = side, .format = PNG_FORMAT_GRAY};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *png = g_malloc(size);
    g_assert(png_image_write_to_memory(&image, png, &size, 0, pixels, 0, NULL));
    char *base64 = crypto_base64(png, size);
    char *url = g_strconcat("data:image/png;base64,", base64, NULL);
    g_free(base64);
    g_free(png);
    g_free(pixels);
    QRcode_free(code);
    return url;
}
