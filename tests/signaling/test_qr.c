// Is the picture of a link a real QR code in a real PNG?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <png.h>
#include <qrencode.h>

#include "signaling/qr.h"

static const char prefix[] = "data:image/png;base64,";

// The PNG is read back with libpng and compared with the code module by module.
static void test_picture(void **state)
{
    (void)state;
    static const char link[] = "https://example.org/participant/0d4c0b1e-6b6b-4f0e-9a3f-000000000000";
    char *url = qr_data_url(link);
    assert_non_null(url);
    assert_true(g_str_has_prefix(url, prefix));
    gsize size;
    guchar *png = g_base64_decode(url + strlen(prefix), &size);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_int_not_equal(png_image_begin_read_from_memory(&image, png, size), 0);
    image.format = PNG_FORMAT_GRAY;
    uint8_t *pixels = g_malloc(PNG_IMAGE_SIZE(image));
    assert_int_not_equal(png_image_finish_read(&image, NULL, pixels, 0, NULL), 0);

    QRcode *code = QRcode_encodeString8bit(link, 0, QR_ECLEVEL_M);
    int modules = code->width + 2 * QR_QUIET_MODULES;
    assert_int_equal(image.width, modules * QR_MODULE_PIXELS);
    assert_int_equal(image.height, image.width);
    for (int y = 0; y < modules; y++) {
        for (int x = 0; x < modules; x++) {
            int row = y - QR_QUIET_MODULES, column = x - QR_QUIET_MODULES;
            bool inside = row >= 0 && row < code->width && column >= 0 && column < code->width;
            bool dark = inside && (code->data[row * code->width + column] & 1);
            size_t middle = (size_t)(y * QR_MODULE_PIXELS + 4) * image.width + (size_t)(x * QR_MODULE_PIXELS + 4);
            assert_int_equal(pixels[middle], dark ? 0 : 255);
        }
    }
    QRcode_free(code);
    g_free(pixels);
    g_free(png);
    g_free(url);
}

static void test_too_long(void **state)
{
    (void)state;
    char *text = g_strnfill(5000, 'a');
    assert_null(qr_data_url(text));
    g_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_picture), cmocka_unit_test(test_too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
