// How is a packet sealed? And which engine does it?
// SPDX-License-Identifier: MIT
#include "sfu/cipher.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "rtp/rtp.h"
#include "sfu/cipher_engine.h"
#include "sfu/cipher_rtcp.h"

enum { BATCH_MAX = 64 }; // jobs given to an engine at once

struct cipher_sealer {
    struct cipher_session *session;
    struct cipher_rtcp *rtcp;
};

// ---- engine ------------------------------------------------------------------------------------------------

// Fastest first.
static const struct cipher_engine *const engines[] = {
#ifdef RODA_IPSEC_MB
    &cipher_engine_ipsecmb,
#endif
    &cipher_engine_srtp,
};

static const char *const engine_names[] = {"ipsec-mb", "libsrtp"}; // of any build

static const struct cipher_engine *chosen;

static bool is_known(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(engine_names); i++) {
        if (strcmp(name, engine_names[i]) == 0)
            return true;
    }
    return strcmp(name, "auto") == 0;
}

int cipher_engine_select(const char *name)
{
    bool any = strcmp(name, "auto") == 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(engines); i++) {
        if ((any || strcmp(name, engines[i]->name) == 0) && engines[i]->is_available()) {
            chosen = engines[i];
            return 0;
        }
    }
    return is_known(name) ? -ENOTSUP : -EINVAL;
}

const char *cipher_engine_name(void)
{
    return chosen ? chosen->name : "none";
}

const struct cipher_engine *cipher_engine(void)
{
    g_assert(chosen); // cipher_engine_select() comes first
    return chosen;
}

struct cipher_session *cipher_session_new(const struct cipher_keys *keys)
{
    g_assert(cipher_key_len(keys->profile) > 0);
    return cipher_engine()->session_new(keys);
}

// ---- sealing -----------------------------------------------------------------------------------------------

struct cipher_sealer *cipher_sealer_new(const struct cipher_keys *keys)
{
    struct cipher_sealer *sealer = g_new0(struct cipher_sealer, 1);
    sealer->session = cipher_session_new(keys);
    sealer->rtcp = cipher_rtcp_new(keys, sealer->session->engine);
    return sealer;
}

void cipher_sealer_free(struct cipher_sealer *sealer)
{
    if (!sealer)
        return;
    sealer->session->engine->session_free(sealer->session);
    cipher_rtcp_free(sealer->rtcp);
    g_free(sealer);
}

struct cipher_stream *cipher_stream_new(struct cipher_sealer *sealer, uint32_t ssrc)
{
    return sealer->session->engine->stream_new(sealer->session, ssrc);
}

void cipher_stream_free(struct cipher_stream *stream)
{
    if (stream)
        stream->session->engine->stream_free(stream);
}

// Octets that stay in the clear; 0: not a packet of this stream.
static uint16_t header_of(const struct cipher_job *job)
{
    struct rtp rtp;
    if (rtp_parse_header(&rtp, job->buf, job->len) != RTP_OK || rtp.ssrc != job->stream->ssrc)
        return 0;
    return (uint16_t)rtp_header_len(&rtp);
}

// Takes the jobs at the front that one engine can do at once; a job that is no packet fails alone.
static size_t take_batch(struct cipher_job *jobs, size_t count, uint16_t header_len[BATCH_MAX])
{
    const struct cipher_engine *engine = jobs[0].stream->session->engine;
    size_t n = 0;
    while (n < count && n < BATCH_MAX && jobs[n].stream->session->engine == engine &&
           (header_len[n] = header_of(&jobs[n])) > 0)
        n++;
    return n;
}

void cipher_seal(struct cipher_job *jobs, size_t count)
{
    uint16_t header_len[BATCH_MAX];
    while (count > 0) {
        size_t n = take_batch(jobs, count, header_len);
        if (n > 0)
            jobs[0].stream->session->engine->seal(jobs, header_len, n);
        else
            jobs[n++].len = 0;
        jobs += n;
        count -= n;
    }
}

size_t cipher_seal_rtcp(struct cipher_sealer *sealer, uint8_t *buf, size_t len, size_t cap)
{
    return cipher_rtcp_seal(sealer->rtcp, buf, len, cap);
}
