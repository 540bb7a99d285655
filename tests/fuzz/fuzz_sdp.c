// Is every description the same after being printed and parsed again? (rtp/sdp_parse.c, sdp_write.c)
// SPDX-License-Identifier: MIT
#include "rtp/sdp_codec.h"
#include "tests/fuzz/fuzz.h"
#include "tests/rtp/sdp_same.h"

enum { PRINT_MAX = 1 << 22 };

static struct sdp first, second;

static void check_codecs(const struct sdp_media *m)
{
    for (size_t i = 0; i < m->codec_count; i++) {
        const struct sdp_codec *codec = &m->codecs[i];
        struct sdp_h264 h264;
        assert(codec->pt <= 127 && sdp_find_codec(m, codec->pt) == codec);
        assert(sdp_rtx_apt(codec) <= 127);
        sdp_find_rtx(m, codec->pt);
        sdp_h264_parse(&h264, codec->fmtp);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char printed[PRINT_MAX];
    struct sdp_error err;
    if (sdp_parse(&first, (const char *)data, len, &err)) {
        assert(err.what && err.line >= 0);
        return 0;
    }
    for (size_t i = 0; i < first.media_count; i++)
        check_codecs(&first.media[i]);
    int printed_len = sdp_print(&first, printed, sizeof(printed));
    assert(printed_len > 0);
    assert(sdp_parse(&second, printed, (size_t)printed_len, &err) == 0);
    assert(sdp_difference(&first, &second) == NULL);
    return 0;
}
