// Which number do the next n bits hold, and how is one written?
// SPDX-License-Identifier: MIT
//
// Bounded cursors over bits, most significant first. `ok` is sticky: a read past the end gives 0, a write past the
// end nothing, and both clear it for good, so a parser checks once, at its end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bit_reader {
    const uint8_t *data; // not owned
    size_t at, end;      // in bits
    bool ok;
};

struct bit_writer {
    uint8_t *data;  // not owned
    size_t at, end; // in bits
    bool ok;
};

void bit_reader_init(struct bit_reader *r, const uint8_t *data, size_t len);

// The next n bits, n <= 32.
uint32_t bit_read(struct bit_reader *r, unsigned n);
bool bit_read_flag(struct bit_reader *r);

// A number of 0..n-1 in the non-symmetric code ns(n), 1 <= n < 2^31 (AV1 RTP payload A.8.2; AV1 4.10.7).
uint32_t bit_read_ns(struct bit_reader *r, uint32_t n);

// Exp-Golomb codes ue(v) and se(v) of at most 32 bits (H.264 9.1, 9.1.1).
uint32_t bit_read_ue(struct bit_reader *r);
int32_t bit_read_se(struct bit_reader *r);

// Leaves n bits out.
void bit_skip(struct bit_reader *r, size_t n);

void bit_writer_init(struct bit_writer *w, uint8_t *data, size_t len);

// The lowest n bits of value, n <= 32.
void bit_write(struct bit_writer *w, uint32_t value, unsigned n);

// The next n bits of r.
void bit_copy(struct bit_writer *w, struct bit_reader *r, size_t n);

// Zero bits up to the next whole byte; returns the bytes written so far.
size_t bit_writer_finish(struct bit_writer *w);
