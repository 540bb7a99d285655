// How is a VP9 frame hidden?
// SPDX-License-Identifier: MIT
#include "sfu/record_vp9.h"

#include "rtp/bits.h"

// VP9 bitstream specification, sections 2, 6.2, 7.2
enum {
    FRAME_MARKER = 2,
    SYNC_CODE = 0x498342,
    COLOR_SPACE_RGB = 7,
    REFERENCES = 3,
    ALL_SLOTS = 0xff,
    LOOP_FILTER_DELTAS = 4 + 2, // reference frames and modes
    DELTA_BITS = 6 + 1,         // with the sign
    QUANTIZER_DELTAS = 3,
    QUANTIZER_DELTA_BITS = 4 + 1,
    SEGMENTS = 8,
    TREE_PROBABILITIES = 7,
    PREDICTION_PROBABILITIES = 3,
    TILE_WIDTH_MIN = 4, // in superblocks of 64
    TILE_WIDTH_MAX_LOG2 = 6,
};

static const uint8_t segment_feature_bits[] = {8 + 1, 6 + 1, 2,
                                               0}; // section 6.2.11, with the sign where there is one

// What is read of one header.
struct header {
    unsigned profile;
    bool is_key, is_shown, is_resilient, is_intra_only;
    size_t mode_bits; // up to and with error_resilient_mode: where intra_only goes in
    size_t bits;      // of the whole
    uint8_t refresh;
    uint16_t width, height;
};

static void read_color(struct bit_reader *r, unsigned profile)
{
    bit_skip(r, profile >= 2); // ten_or_twelve_bit
    bool rgb = bit_read(r, 3) == COLOR_SPACE_RGB;
    bit_skip(r, !rgb);                              // color_range
    bit_skip(r, profile & 1 ? (rgb ? 1U : 3U) : 0); // subsampling and a reserved bit
}

static void read_render_size(struct bit_reader *r)
{
    if (bit_read_flag(r))
        bit_skip(r, 16 + 16);
}

static void read_size(struct bit_reader *r, struct header *h)
{
    h->width = (uint16_t)(bit_read(r, 16) + 1);
    h->height = (uint16_t)(bit_read(r, 16) + 1);
}

static void read_size_with_references(struct bit_reader *r, const struct record_vp9 *v, const uint8_t *slot,
                                      struct header *h)
{
    for (unsigned i = 0; i < REFERENCES; i++) {
        if (!bit_read_flag(r))
            continue;
        h->width = v->width[slot[i]];
        h->height = v->height[slot[i]];
        read_render_size(r);
        return;
    }
    read_size(r, h);
    read_render_size(r);
}

static bool read_sync_code(struct bit_reader *r)
{
    return bit_read(r, 24) == SYNC_CODE;
}

static bool read_intra(struct bit_reader *r, struct header *h)
{
    bool ok = read_sync_code(r);
    if (h->is_key || h->profile > 0)
        read_color(r, h->profile);
    h->refresh = h->is_key ? ALL_SLOTS : (uint8_t)bit_read(r, 8);
    read_size(r, h);
    read_render_size(r);
    return ok;
}

static void read_inter(struct bit_reader *r, const struct record_vp9 *v, struct header *h)
{
    uint8_t slot[REFERENCES];
    h->refresh = (uint8_t)bit_read(r, 8);
    for (unsigned i = 0; i < REFERENCES; i++) {
        slot[i] = (uint8_t)bit_read(r, 3);
        bit_skip(r, 1); // ref_frame_sign_bias
    }
    read_size_with_references(r, v, slot, h);
    bit_skip(r, 1); // allow_high_precision_mv
    if (!bit_read_flag(r))
        bit_skip(r, 2); // raw_interpolation_filter
}

static void read_deltas(struct bit_reader *r, unsigned count, unsigned bits)
{
    while (count--)
        if (bit_read_flag(r))
            bit_skip(r, bits);
}

static void read_loop_filter(struct bit_reader *r)
{
    bit_skip(r, 6 + 3); // level, sharpness
    if (bit_read_flag(r) && bit_read_flag(r))
        read_deltas(r, LOOP_FILTER_DELTAS, DELTA_BITS);
}

static void read_segmentation(struct bit_reader *r)
{
    if (!bit_read_flag(r))
        return;
    if (bit_read_flag(r)) { // segmentation_update_map
        read_deltas(r, TREE_PROBABILITIES, 8);
        if (bit_read_flag(r))
            read_deltas(r, PREDICTION_PROBABILITIES, 8);
    }
    if (!bit_read_flag(r)) // segmentation_update_data
        return;
    bit_skip(r, 1); // segmentation_abs_or_delta_update
    for (unsigned i = 0; i < SEGMENTS; i++)
        for (unsigned k = 0; k < G_N_ELEMENTS(segment_feature_bits); k++)
            read_deltas(r, 1, segment_feature_bits[k]);
}

static void read_tiles(struct bit_reader *r, unsigned width)
{
    unsigned columns = (width + 63) / 64, least = 0, most = 1;
    while (columns > 1U << (TILE_WIDTH_MAX_LOG2 + least))
        least++;
    while (columns >> most >= TILE_WIDTH_MIN)
        most++;
    for (most--; least < most && bit_read_flag(r); least++)
        continue;
    if (bit_read_flag(r)) // tile_rows_log2
        bit_skip(r, 1);
}

// False: it cannot be read, or its frame cannot be hidden.
static bool read_header(struct header *h, const struct record_vp9 *v, const uint8_t *frame, size_t len)
{
    struct bit_reader r;
    bit_reader_init(&r, frame, len);
    *h = (struct header){0};
    if (bit_read(&r, 2) != FRAME_MARKER)
        return false;
    h->profile = bit_read(&r, 1);
    h->profile |= bit_read(&r, 1) << 1;
    bit_skip(&r, h->profile == 3);
    if (bit_read_flag(&r)) // show_existing_frame
        return false;
    h->is_key = !bit_read_flag(&r);
    h->is_shown = bit_read_flag(&r);
    h->is_resilient = bit_read_flag(&r);
    h->mode_bits = r.at;
    h->is_intra_only = !h->is_key && !h->is_shown && bit_read_flag(&r);
    if (!h->is_key && !h->is_resilient)
        bit_skip(&r, 2); // reset_frame_context
    if (h->is_key || h->is_intra_only) {
        if (!read_intra(&r, h))
            return false;
    } else {
        read_inter(&r, v, h);
    }
    if (!h->is_resilient)
        bit_skip(&r, 1 + 1); // refresh_frame_context, frame_parallel_decoding_mode
    bit_skip(&r, 2);         // frame_context_idx
    read_loop_filter(&r);
    bit_skip(&r, 8); // base_q_idx
    read_deltas(&r, QUANTIZER_DELTAS, QUANTIZER_DELTA_BITS);
    read_segmentation(&r);
    read_tiles(&r, h->width);
    bit_skip(&r, 16); // header_size_in_bytes
    h->bits = r.at;
    return r.ok && h->width;
}

// ---- writing -----------------------------------------------------------------------------------------------------

// The header with show_frame 0, for which an inter frame must say that it is not intra_only; then the rest as it was.
static void append_hidden(GByteArray *to, const struct header *h, const uint8_t *frame, size_t len)
{
    size_t from = to->len, header_len = (h->bits + 7) / 8;
    struct bit_reader r;
    struct bit_writer w;
    g_byte_array_set_size(to, (guint)(from + header_len + 1));
    bit_reader_init(&r, frame, len);
    bit_writer_init(&w, to->data + from, header_len + 1);
    bit_copy(&w, &r, h->mode_bits - 2);
    bit_skip(&r, 1);
    bit_write(&w, 0, 1); // show_frame
    bit_copy(&w, &r, 1); // error_resilient_mode
    if (!h->is_key)
        bit_write(&w, 0, 1); // intra_only
    bit_copy(&w, &r, h->bits - h->mode_bits);
    g_byte_array_set_size(to, (guint)(from + bit_writer_finish(&w)));
    g_byte_array_append(to, frame + header_len, (guint)(len - header_len));
}

void record_vp9_append(struct record_vp9 *v, GByteArray *to, const uint8_t *frame, size_t len, bool hide)
{
    struct header h;
    bool is_read = read_header(&h, v, frame, len);
    if (is_read && hide && h.is_shown)
        append_hidden(to, &h, frame, len);
    else
        g_byte_array_append(to, frame, (guint)len);
    for (unsigned i = 0; is_read && i < RECORD_VP9_SLOTS; i++) {
        if (!(h.refresh >> i & 1))
            continue;
        v->width[i] = h.width;
        v->height[i] = h.height;
    }
}
