// Does inspecting a stream's payloads, with their descriptors, leave places that may be rewritten? (rtp/codec.c)
// SPDX-License-Identifier: MIT
#include "rtp/codec.h"
#include "tests/fuzz/fuzz.h"

static void check_rewrite(const struct codec_info *info, uint8_t *payload, size_t len)
{
    assert(!info->has_picture_id || info->picture_id_at + (info->picture_id_bits == 15) < (int)len);
    assert(!info->has_tl0picidx || info->tl0picidx_at < len);
    codec_rewrite(info, payload, 0x5555, 0xaa);
    if (info->has_picture_id)
        assert((payload[info->picture_id_at] & 0x7f) == 0x55);
    if (info->has_tl0picidx)
        assert(payload[info->tl0picidx_at] == 0xaa);
}

static void check_info(const struct codec_info *info)
{
    assert(info->spatial <= 7 && info->temporal <= 7);
    for (unsigned want = 0; want < 8; want++)
        assert(codec_switch_up(info, info->temporal, want) <= want);
}

// A codec, then records: marker and has-descriptor bits, two lengths, descriptor, payload.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct codec_state state;
    struct fuzz_input in = {data, len};
    enum codec codec = (enum codec)(fuzz_u8(&in) % CODEC_COUNT);
    memset(&state, 0, sizeof(state));
    assert(codec_name(codec) && codec_clock_hz(codec));
    while (in.len) {
        uint8_t flags = fuzz_u8(&in);
        size_t dd_len = fuzz_u8(&in), payload_len = fuzz_u8(&in);
        uint8_t *dd = fuzz_block(&in, &dd_len), *payload = fuzz_block(&in, &payload_len);
        struct codec_info info;
        bool has_dd = flags & 2;
        int result = -1;
        if (payload_len)
            result = codec_inspect(codec, &state, payload, payload_len, flags & 1, has_dd ? dd : NULL,
                                   has_dd ? dd_len : 0, &info);
        if (result == 0) {
            check_info(&info);
            check_rewrite(&info, payload, payload_len);
        }
        free(dd);
        free(payload);
    }
    return 0;
}
