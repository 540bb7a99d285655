// How do VP8 payloads become a picture in a file? (RFC 7741)
// SPDX-License-Identifier: MIT
#include "sfu/record_depay_vp8.h"

#include <errno.h>

#include "rtp/codec_vp8.h"

// The descriptor goes, the rest is the frame.
static int add(struct record_picture *picture, const uint8_t *payload, size_t len)
{
    struct vp8_descriptor d;
    if (vp8_parse(&d, payload, len) < 0 || (picture->data->len == 0) != d.start_of_frame)
        return -EBADMSG;
    if (d.keyframe) {
        picture->keyframe = true;
        picture->width = d.width;
        picture->height = d.height;
    }
    record_picture_append(picture, payload + d.size, len - d.size);
    return 0;
}

static int end(struct record_picture *picture)
{
    return picture->data->len ? 0 : -EBADMSG;
}

const struct record_depay_ops record_depay_vp8 = {add, end};
