// Which packet indices has a stream used?
// SPDX-License-Identifier: MIT
#include "sfu/cipher_window.h"

#include <string.h>

enum { SEQ_HALF = 0x8000 };

uint64_t cipher_window_estimate(const struct cipher_window *window, uint16_t seq)
{
    if (!window->any || window->top <= SEQ_HALF)
        return seq;
    uint64_t roc = window->top >> 16;
    uint16_t last = (uint16_t)window->top;
    if (last < SEQ_HALF && seq - last > SEQ_HALF)
        roc--;
    else if (last >= SEQ_HALF && last - SEQ_HALF > seq)
        roc++;
    return roc << 16 | seq;
}

static uint64_t mask_of(uint64_t index)
{
    return UINT64_C(1) << (index % 64);
}

static unsigned word_of(uint64_t index)
{
    return index % CIPHER_WINDOW / 64;
}

bool cipher_window_is_old(const struct cipher_window *window, uint64_t index)
{
    return window->any && index < window->top && window->top - index >= CIPHER_WINDOW;
}

bool cipher_window_is_fresh(const struct cipher_window *window, uint64_t index)
{
    if (!window->any || index > window->top)
        return true;
    return !cipher_window_is_old(window, index) && !(window->bits[word_of(index)] & mask_of(index));
}

static void advance(struct cipher_window *window, uint64_t index)
{
    if (index - window->top >= CIPHER_WINDOW) {
        memset(window->bits, 0, sizeof(window->bits));
        return;
    }
    for (uint64_t i = window->top + 1; i < index; i++)
        window->bits[word_of(i)] &= ~mask_of(i);
}

void cipher_window_add(struct cipher_window *window, uint64_t index)
{
    if (!window->any || index > window->top) {
        if (window->any)
            advance(window, index);
        window->any = true;
        window->top = index;
    }
    window->bits[word_of(index)] |= mask_of(index);
}
