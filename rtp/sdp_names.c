// Which words of SDP stand for which of our values?
// SPDX-License-Identifier: MIT
#include "rtp/sdp_names.h"

const struct sdp_name sdp_kind_names[] = {
    {"audio", SDP_AUDIO}, {"video", SDP_VIDEO}, {"application", SDP_APPLICATION}, {NULL, 0}};

const struct sdp_name sdp_direction_names[] = {{"sendrecv", SDP_SENDRECV},
                                               {"sendonly", SDP_SENDONLY},
                                               {"recvonly", SDP_RECVONLY},
                                               {"inactive", SDP_INACTIVE},
                                               {NULL, 0}};

const struct sdp_name sdp_setup_names[] = {{"actpass", SDP_SETUP_ACTPASS},
                                           {"active", SDP_SETUP_ACTIVE},
                                           {"passive", SDP_SETUP_PASSIVE},
                                           {"holdconn", SDP_SETUP_HOLDCONN},
                                           {NULL, 0}};

const struct sdp_name sdp_hash_names[] = {{"sha-1", SDP_SHA1},     {"sha-224", SDP_SHA224}, {"sha-256", SDP_SHA256},
                                          {"sha-384", SDP_SHA384}, {"sha-512", SDP_SHA512}, {NULL, 0}};

const struct sdp_name sdp_feedback_names[] = {
    {"nack", SDP_FB_NACK},      {"nack pli", SDP_FB_NACK_PLI},         {"ccm fir", SDP_FB_CCM_FIR},
    {"goog-remb", SDP_FB_REMB}, {"transport-cc", SDP_FB_TRANSPORT_CC}, {NULL, 0}};

const struct sdp_name sdp_semantics_names[] = {{"FID", SDP_FID}, {"SIM", SDP_SIM}, {NULL, 0}};

int sdp_name_value(const struct sdp_name *table, struct sdp_span name)
{
    for (; table->name; table++)
        if (sdp_span_is_nocase(name, table->name))
            return table->value;
    return -1;
}

const char *sdp_name_text(const struct sdp_name *table, int value)
{
    for (; table->name; table++)
        if (table->value == value)
            return table->name;
    return NULL;
}

uint8_t sdp_hash_len(enum sdp_hash hash)
{
    static const uint8_t len[] = {
        [SDP_SHA1] = 20, [SDP_SHA224] = 28, [SDP_SHA256] = 32, [SDP_SHA384] = 48, [SDP_SHA512] = 64};
    return len[hash];
}

void sdp_codec_static(struct sdp_codec *codec, enum sdp_kind kind)
{
    static const struct {
        uint8_t pt, channels;
        uint32_t clock_hz;
        const char *name;
    } types[] = {
        {0, 1, 8000, "PCMU"},  {3, 1, 8000, "GSM"},    {4, 1, 8000, "G723"},   {8, 1, 8000, "PCMA"},
        {9, 1, 8000, "G722"},  {10, 2, 44100, "L16"},  {11, 1, 44100, "L16"},  {13, 1, 8000, "CN"},
        {15, 1, 8000, "G728"}, {18, 1, 8000, "G729"},  {26, 0, 90000, "JPEG"}, {31, 0, 90000, "H261"},
        {32, 0, 90000, "MPV"}, {33, 0, 90000, "MP2T"}, {34, 0, 90000, "H263"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].pt != codec->pt || (types[i].channels != 0) != (kind == SDP_AUDIO))
            continue;
        codec->name = sdp_span_of(types[i].name);
        codec->clock_hz = types[i].clock_hz;
        codec->channels = types[i].channels;
    }
}
