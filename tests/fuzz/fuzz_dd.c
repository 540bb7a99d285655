// Does a stream of dependency descriptors leave a sane state, and mean the same when written anew? (rtp/dd.c)
// SPDX-License-Identifier: MIT
#include "rtp/dd.h"
#include "tests/fuzz/fuzz.h"

static void check_state(const struct dd_state *s)
{
    assert(s->template_count <= DD_TEMPLATES_MAX && s->target_count <= DD_TARGETS_MAX);
    assert(s->chain_count <= s->target_count && s->spatial_count <= DD_SPATIAL_MAX);
    for (unsigned i = 0; i < s->template_count; i++) {
        assert(s->template[i].fdiff_count <= DD_FDIFFS_MAX);
        assert(s->template[i].spatial < DD_SPATIAL_MAX && s->template[i].temporal < DD_TEMPORAL_MAX);
    }
    for (unsigned i = 0; i < s->target_count; i++)
        assert(s->target[i].spatial < DD_SPATIAL_MAX && s->target[i].temporal < DD_TEMPORAL_MAX);
}

static void check_frame(const struct dd_frame *f)
{
    assert(f->spatial < DD_SPATIAL_MAX && f->temporal < DD_TEMPORAL_MAX);
    assert(f->fdiff_count <= DD_FDIFFS_MAX && f->chain_count <= DD_CHAINS_MAX && f->target_count <= DD_TARGETS_MAX);
    for (unsigned i = 0; i < f->target_count; i++)
        assert(dd_dti(&f->dtis, i) <= DD_REQUIRED);
}

// `before` is the state the descriptor was read with.
static void check_rewrite(struct dd_state before, const uint8_t *data, size_t len, const struct dd_frame *f)
{
    size_t cap = len + DD_ACTIVE_GROWTH;
    uint8_t *out = malloc(cap);
    struct dd_frame again;
    int written = dd_rewrite(out, cap, data, len, f->frame_number, f->active, f->active_at, f->target_count);
    assert(written > 0 && (size_t)written <= cap);
    if (written > DD_LEN_MAX) { // fits no header extension: the caller's to see
        free(out);
        return;
    }
    assert(dd_parse(&before, out, (size_t)written, &again) == 0);
    assert(again.frame_number == f->frame_number && again.template_id == f->template_id);
    assert(again.active == f->active && again.has_structure == f->has_structure);
    assert(again.spatial == f->spatial && again.temporal == f->temporal && again.layers == f->layers);
    assert(memcmp(&again.dtis, &f->dtis, sizeof(f->dtis)) == 0);
    assert(again.fdiff_count == f->fdiff_count && again.chain_count == f->chain_count);
    assert(memcmp(again.fdiff, f->fdiff, f->fdiff_count * sizeof(f->fdiff[0])) == 0);
    assert(memcmp(again.chain_fdiff, f->chain_fdiff, f->chain_count) == 0);
    free(out);
}

// Records of a length and that many octets; one SSRC.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dd_state state, before;
    struct fuzz_input in = {data, len};
    memset(&state, 0, sizeof(state));
    while (in.len) {
        size_t size = fuzz_u8(&in);
        uint8_t *dd = fuzz_block(&in, &size);
        struct dd_frame frame;
        before = state;
        int result = dd_parse(&state, dd, size, &frame);
        if (result == 0) {
            check_state(&state);
            check_frame(&frame);
            check_rewrite(before, dd, size, &frame);
        } else {
            assert(memcmp(&before, &state, sizeof(state)) == 0);
        }
        free(dd);
    }
    return 0;
}
