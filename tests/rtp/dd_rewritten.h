// Does a dependency descriptor say the same after dd_rewrite(), but for what was changed?
// SPDX-License-Identifier: MIT
//
// Include it behind cmocka.h.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "rtp/dd.h"
#include "tests/rtp/octets.h"

// Writes it anew and expects the same frame with these two things changed.
static inline void assert_rewritten(const struct dd_state *before, const uint8_t *data, size_t len,
                                    const struct dd_frame *f, uint16_t number, uint32_t active)
{
    uint8_t *out = malloc(len + DD_ACTIVE_GROWTH);
    int n = dd_rewrite(out, len + DD_ACTIVE_GROWTH, data, len, number, active, f->active_at, f->target_count);
    assert_true(n >= (int)len);
    assert_true(active || n == (int)len);
    for (int cap = 0; cap < n; cap++)
        assert_int_equal(dd_rewrite(out, (size_t)cap, data, len, number, active, f->active_at, f->target_count),
                         -ENOSPC);
    n = dd_rewrite(out, len + DD_ACTIVE_GROWTH, data, len, number, active, f->active_at, f->target_count);

    struct dd_state dd = *before;
    struct dd_frame g;
    dd.structure_frame = dd.active_frame = number; // none of it is late
    struct octets o = octets_copy(out, (size_t)n);
    assert_int_equal(dd_parse(&dd, o.data, o.len, &g), 0);
    assert_int_equal(g.frame_number, number);
    assert_int_equal(g.active, active ? active : f->active);
    assert_int_equal(g.has_active, f->has_active || active);
    assert_int_equal(g.has_structure, f->has_structure);
    assert_int_equal(g.start_of_frame, f->start_of_frame);
    assert_int_equal(g.end_of_frame, f->end_of_frame);
    assert_int_equal(g.template_id, f->template_id);
    assert_memory_equal(&g.dtis, &f->dtis, sizeof(g.dtis));
    assert_int_equal(g.fdiff_count, f->fdiff_count);
    assert_memory_equal(g.fdiff, f->fdiff, sizeof(g.fdiff));
    assert_memory_equal(g.chain_fdiff, f->chain_fdiff, sizeof(g.chain_fdiff));
    assert_int_equal(g.width, f->width);
    free(o.data);
    free(out);
}
