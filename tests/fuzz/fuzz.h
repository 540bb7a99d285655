// What does every fuzz target share? (the entry point, and taking an input apart)
// SPDX-License-Identifier: MIT
//
// A target is one file fuzz_<name>.c that defines LLVMFuzzerTestOneInput(), one line in CMakeLists.txt and a few
// seeds in corpus/<name>/. It asserts what must hold of every accepted input, not only that nothing crashes.
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// For targets that want more than one buffer: the input, from the front.
struct fuzz_input {
    const uint8_t *p;
    size_t len;
};

// The next octet; 0 at the end.
static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
    if (in->len == 0)
        return 0;
    in->len--;
    return *in->p++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
    uint16_t high = fuzz_u8(in);
    return (uint16_t)(high << 8 | fuzz_u8(in));
}

// The next *len octets, or what is left of them, as a block of their own (to be freed): ASan sees a read beyond.
static inline uint8_t *fuzz_block(struct fuzz_input *in, size_t *len)
{
    if (*len > in->len)
        *len = in->len;
    uint8_t *block = malloc(*len ? *len : 1);
    assert(block);
    if (*len)
        memcpy(block, in->p, *len);
    in->p += *len;
    in->len -= *len;
    return block;
}

// All of the input as a text, to be freed.
static inline char *fuzz_text(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    assert(text);
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    return text;
}
