// Does the parser take what browsers and the standard say? (rtp/sdp*.c, tests/vectors/sdp)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/sdp.h"
#include "tests/rtp/sdp_files.h"

static struct sdp parsed; // 0.4 MB

static bool is(struct sdp_span s, const char *text)
{
    if (sdp_span_is(s, text))
        return true;
    print_message("'%.*s' is not '%s'\n", SDP_SPAN_ARG(s), text);
    return false;
}

// What must be parsed: every description a real client or the standard wrote.
static void parse_well(const struct sdp_file *file, void *arg)
{
    (void)arg;
    struct sdp_error err;
    int result = sdp_parse(&parsed, file->text, file->len, &err);
    if (result)
        fail_msg("%s:%d: %s", file->name, err.line, err.what);
    assert_true(parsed.media_count >= 1);
    assert_null(err.what);
    for (size_t i = 0; i < parsed.media_count; i++) {
        const struct sdp_media *m = &parsed.media[i];
        assert_true(m->mid.len > 0);
        assert_ptr_equal(sdp_find_mid(&parsed, m->mid), m);
        if (m->kind == SDP_APPLICATION)
            continue;
        assert_true(m->codec_count > 0);
        for (size_t c = 0; c < m->codec_count; c++)
            assert_true(m->codecs[c].name.len > 0 && m->codecs[c].clock_hz > 0);
    }
}

static void test_real_clients_parse(void **state)
{
    (void)state;
    assert_int_equal(sdp_files_each("real-clients", parse_well, NULL), 27);
}

static void test_jsep_examples_parse(void **state)
{
    (void)state;
    assert_int_equal(sdp_files_each("jsep-draft", parse_well, NULL), 10);
}

static void parse_or_refuse(const struct sdp_file *file, void *arg)
{
    struct sdp_error err;
    int result = sdp_parse(&parsed, file->text, file->len, &err);
    assert_true(result == 0 || result == -EBADMSG);
    if (result)
        assert_non_null(err.what);
    *(int *)arg += result == 0;
}

static void test_sdp_transform_is_read_or_refused(void **state)
{
    (void)state;
    int read = 0;
    assert_int_equal(sdp_files_each("sdp-transform", parse_or_refuse, &read), 25);
    assert_true(read >= 20);
}

// ---- important fields, per client ------------------------------------------------------------------------

static const char *const kind_names[] = {"audio", "video", "application", "other"};
static const char *const direction_names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + len, 4096 - len, format, args);
    va_end(args);
}

static void summarize_simulcast(char *out, const char *name, const struct sdp_simulcast *list)
{
    for (size_t i = 0; i < list->count; i++)
        add(out, "%s%.*s", i ? ";" : name, SDP_SPAN_ARG(list->rids[i].rid));
}

// One line per m-section with what the negotiator needs to know.
static void summarize(const struct sdp_media *m, char *out)
{
    const struct sdp_transport *t = &m->transport;
    add(out, "%.*s: %s %u %.*s %s", SDP_SPAN_ARG(m->mid), kind_names[m->kind], m->port, SDP_SPAN_ARG(m->proto),
        direction_names[m->direction]);
    add(out, " ice=%.*s/%.*s/%.*s", SDP_SPAN_ARG(t->ufrag), SDP_SPAN_ARG(t->pwd), SDP_SPAN_ARG(t->ice_options));
    add(out, " setup=%d hash=%d:%02x-%02x", (int)t->setup, (int)t->fingerprint.hash, t->fingerprint.value[0],
        t->fingerprint.len ? t->fingerprint.value[t->fingerprint.len - 1] : 0);
    add(out, " mux=%d rsize=%d mixed=%d", m->rtcp_mux, m->rtcp_rsize, m->extmap_allow_mixed);
    for (size_t i = 0; i < m->codec_count; i++)
        add(out, " %u:%.*s:%x", m->codecs[i].pt, SDP_SPAN_ARG(m->codecs[i].name), m->codecs[i].feedback);
    add(out, " ext=%u ssrc=%u group=%u cand=%u%s", m->extmap_count, m->ssrc_count, m->group_count, m->candidate_count,
        t->end_of_candidates ? "." : "");
    for (size_t i = 0; i < m->rid_count; i++)
        add(out, " %s:%.*s", m->rids[i].recv ? "recv" : "send", SDP_SPAN_ARG(m->rids[i].id));
    summarize_simulcast(out, " simulcast-send=", &m->simulcast_send);
    summarize_simulcast(out, " simulcast-recv=", &m->simulcast_recv);
    if (m->sctp_port)
        add(out, " sctp=%u/%llu", m->sctp_port, (unsigned long long)m->max_message_size);
    add(out, "\n");
}

#define CHROMIUM_AUDIO                                                                                               \
    " 111:opus:10 63:red:0 9:G722:0 0:PCMU:0 8:PCMA:0 13:CN:0 110:telephone-event:0 126:telephone-event:0"

static const struct expectation {
    const char *file;
    uint64_t session_id;
    const char *summary;
} expectations[] = {
    {"chromium156-vp8.offer.sdp", 8891971243135151899u,
     "0: video 9 RTP/AVPF sendonly ice=cKJg/1SE6Qo9Ot0Dof8OKECVyAXdi/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1 96:VP8:1f 97:rtx:0 ext=11 ssrc=2 group=1 cand=0\n"
     "1: audio 9 RTP/AVPF sendonly ice=cKJg/1SE6Qo9Ot0Dof8OKECVyAXdi/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1" CHROMIUM_AUDIO " ext=4 ssrc=1 group=0 cand=0\n"},
    {"chromium156-vp8_sim.offer.sdp", 551910616884601780u,
     "0: video 9 RTP/AVPF sendonly ice=dnCn/UcWU7pO5Nvf6ldjmCbH1NInD/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1 96:VP8:1f 97:rtx:0 ext=13 ssrc=0 group=0 cand=0"
     " send:q send:h send:f simulcast-send=q;h;f\n"
     "1: audio 9 RTP/AVPF sendonly ice=dnCn/UcWU7pO5Nvf6ldjmCbH1NInD/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1" CHROMIUM_AUDIO " ext=4 ssrc=1 group=0 cand=0\n"},
    {"chromium156-av1_l3t3.offer.sdp", 6633669393157175200u,
     "0: video 9 RTP/AVPF sendonly ice=eIBF/0zKkEAx4/+K1ReM/esNOpmea/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1 45:AV1:1f 46:rtx:0 ext=13 ssrc=2 group=1 cand=0\n"
     "1: audio 9 RTP/AVPF sendonly ice=eIBF/0zKkEAx4/+K1ReM/esNOpmea/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1" CHROMIUM_AUDIO " ext=4 ssrc=1 group=0 cand=0\n"},
    {"chromium156-red.offer.sdp", 4029317484539270115u,
     "0: video 9 RTP/AVPF sendonly ice=JMj6/VWzNi0oYN/8QD7LwS3hOa2Sf/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1 96:VP8:1f 97:rtx:0 ext=11 ssrc=2 group=1 cand=0\n"
     "1: audio 9 RTP/AVPF sendonly ice=JMj6/VWzNi0oYN/8QD7LwS3hOa2Sf/trickle setup=0 hash=0:00-00"
     " mux=1 rsize=1 mixed=1 63:red:0 111:opus:10 ext=4 ssrc=1 group=0 cand=0\n"},
    {"firefox153esr-vp8.offer.sdp", 4404298103299061736u,
     "0: video 9 UDP/TLS/RTP/SAVPF sendonly ice=1b598d67/ddd0c20b77b931e5377efc5688b900e4/trickle"
     " setup=1 hash=3:03-66 mux=1 rsize=1 mixed=1 120:VP8:1f 124:rtx:0 ext=5 ssrc=2 group=1 cand=0\n"
     "1: audio 9 UDP/TLS/RTP/SAVPF sendonly ice=1b598d67/ddd0c20b77b931e5377efc5688b900e4/trickle"
     " setup=1 hash=3:03-66 mux=1 rsize=0 mixed=1 109:opus:10 9:G722:10 0:PCMU:10 8:PCMA:10"
     " 101:telephone-event:0 ext=4 ssrc=1 group=0 cand=0\n"
     "2: application 9 UDP/DTLS/SCTP sendrecv ice=1b598d67/ddd0c20b77b931e5377efc5688b900e4/trickle"
     " setup=1 hash=3:03-66 mux=0 rsize=0 mixed=0 ext=0 ssrc=0 group=0 cand=0 sctp=5000/1073741823\n"},
    {"firefox153esr-vp8_sim.offer.sdp", 9184212642028176262u,
     "0: video 9 UDP/TLS/RTP/SAVPF sendonly ice=f9fe28a9/4daaf33d8d813c299cdee1a2187759e8/trickle"
     " setup=1 hash=3:d5-73 mux=1 rsize=1 mixed=1 120:VP8:1f 124:rtx:0 ext=8 ssrc=6 group=3 cand=0"
     " send:q send:h send:f simulcast-send=q;h;f\n"
     "1: audio 9 UDP/TLS/RTP/SAVPF sendonly ice=f9fe28a9/4daaf33d8d813c299cdee1a2187759e8/trickle"
     " setup=1 hash=3:d5-73 mux=1 rsize=0 mixed=1 109:opus:10 9:G722:10 0:PCMU:10 8:PCMA:10"
     " 101:telephone-event:0 ext=4 ssrc=1 group=0 cand=0\n"
     "2: application 9 UDP/DTLS/SCTP sendrecv ice=f9fe28a9/4daaf33d8d813c299cdee1a2187759e8/trickle"
     " setup=1 hash=3:d5-73 mux=0 rsize=0 mixed=0 ext=0 ssrc=0 group=0 cand=0 sctp=5000/1073741823\n"},
    {"firefox153esr-vp8_sim.answer.sdp", 4229712131939466704u,
     "0: video 9 UDP/TLS/RTP/SAVPF recvonly ice=eca64ae7/7e73f850aadcdd6a034bfdf57ecf7831/trickle"
     " setup=2 hash=3:06-59 mux=1 rsize=1 mixed=1 120:VP8:1f 124:rtx:0 ext=6 ssrc=1 group=0 cand=0"
     " recv:q recv:h recv:f simulcast-recv=q;h;f\n"
     "1: audio 9 UDP/TLS/RTP/SAVPF recvonly ice=eca64ae7/7e73f850aadcdd6a034bfdf57ecf7831/trickle"
     " setup=2 hash=3:06-59 mux=1 rsize=0 mixed=1 109:opus:10 9:G722:10 0:PCMU:10 8:PCMA:10"
     " 101:telephone-event:0 ext=3 ssrc=1 group=0 cand=0\n"
     "2: application 9 UDP/DTLS/SCTP sendrecv ice=eca64ae7/7e73f850aadcdd6a034bfdf57ecf7831/trickle"
     " setup=2 hash=3:06-59 mux=0 rsize=0 mixed=0 ext=0 ssrc=0 group=0 cand=0 sctp=5000/1073741823\n"},
    {"werift.offer.sdp", 13208330u,
     "0: video 9 UDP/TLS/RTP/SAVPF sendonly ice=51de/a63996cdcee687f60297be/trickle setup=1 hash=3:d5-86"
     " mux=1 rsize=0 mixed=1 98:VP8:b ext=0 ssrc=1 group=0 cand=2.\n"
     "1: application 9 UDP/DTLS/SCTP sendrecv ice=51de/a63996cdcee687f60297be/trickle setup=1 hash=3:d5-86"
     " mux=0 rsize=0 mixed=1 ext=0 ssrc=0 group=0 cand=2. sctp=5000/65536\n"},
    {"gstreamer122-webrtcbin-vp9.offer.sdp", 3053481968537147542u,
     "video0: video 9 UDP/TLS/RTP/SAVPF sendrecv"
     " ice=wlyMluHXnQxKcCsMGeT1Aqmp1wErx40A/2oJfADjB2hB1RdRxIeYzzp1phYbuBoV7/trickle setup=1 hash=3:ef-41"
     " mux=1 rsize=1 mixed=0 96:VP9:16 ext=0 ssrc=1 group=0 cand=0\n"
     "audio1: audio 0 UDP/TLS/RTP/SAVPF sendrecv"
     " ice=wlyMluHXnQxKcCsMGeT1Aqmp1wErx40A/2oJfADjB2hB1RdRxIeYzzp1phYbuBoV7/trickle setup=1 hash=3:ef-41"
     " mux=1 rsize=1 mixed=0 97:OPUS:10 ext=0 ssrc=1 group=0 cand=0\n"},
};

static void test_important_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        const struct expectation *want = &expectations[i];
        struct sdp_file file = sdp_file_read("real-clients", want->file);
        struct sdp_error err;
        char summary[4096] = "";
        assert_int_equal(sdp_parse(&parsed, file.text, file.len, &err), 0);
        for (size_t m = 0; m < parsed.media_count; m++) {
            summarize(&parsed.media[m], summary);
            assert_true(sdp_is_bundled(&parsed, &parsed.media[m]));
            assert_false(sdp_is_rejected(&parsed.media[m]));
        }
        assert_string_equal(summary, want->summary);
        assert_true(parsed.session_id == want->session_id);
        assert_int_equal(parsed.bundle_count, parsed.media_count);
        free(file.text);
    }
}

static void test_details_of_a_chromium_offer(void **state)
{
    (void)state;
    struct sdp_file file = sdp_file_read("real-clients", "chromium156-vp8.offer.sdp");
    struct sdp_error err;
    assert_int_equal(sdp_parse(&parsed, file.text, file.len, &err), 0);
    const struct sdp_media *m = &parsed.media[0];
    assert_int_equal(parsed.session_version, 2);
    assert_true(is(parsed.username, "-"));
    assert_true(is(parsed.msid_semantic, "WMS 4a294bbc-821a-4687-9679-f2a25bcb495b"));
    assert_true(is(m->msid.stream, "4a294bbc-821a-4687-9679-f2a25bcb495b"));
    assert_true(is(m->msid.track, "0562554b-db19-4b20-8e29-0ff8c719d279"));
    assert_int_equal(sdp_find_extmap(m, "urn:ietf:params:rtp-hdrext:sdes:mid")->id, 9);
    assert_null(sdp_find_extmap(m, "urn:ietf:params:rtp-hdrext:sdes"));
    assert_int_equal(m->groups[0].semantics, SDP_FID);
    assert_int_equal(m->groups[0].count, 2);
    assert_true(m->groups[0].ssrcs[0] == 3277029453u && m->groups[0].ssrcs[1] == 4169600868u);
    assert_true(is(sdp_find_ssrc(m, 4169600868u)->cname, "8O4mTeyGaka8GRpM"));
    assert_null(sdp_find_ssrc(m, 1));
    const struct sdp_codec *opus = sdp_find_codec(&parsed.media[1], 111);
    assert_int_equal(opus->channels, 2);
    assert_int_equal(opus->clock_hz, 48000);
    assert_true(is(opus->fmtp, "minptime=10;useinbandfec=1"));
    assert_null(sdp_find_codec(&parsed.media[1], 112));
    free(file.text);
}

static void test_candidates_are_kept_raw(void **state)
{
    (void)state;
    struct sdp_file file = sdp_file_read("real-clients", "roamhq-wrtc-simulcast.offer.sdp");
    struct sdp_error err;
    assert_int_equal(sdp_parse(&parsed, file.text, file.len, &err), 0);
    const struct sdp_media *m = &parsed.media[0];
    assert_int_equal(m->candidate_count, 4);
    assert_true(is(m->candidates[1], "candidate:3229573512 1 udp 2122194687 192.0.2.2 60818 typ host generation 0 "
                                     "network-id 1"));
    free(file.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_clients_parse),
        cmocka_unit_test(test_jsep_examples_parse),
        cmocka_unit_test(test_sdp_transform_is_read_or_refused),
        cmocka_unit_test(test_important_fields),
        cmocka_unit_test(test_details_of_a_chromium_offer),
        cmocka_unit_test(test_candidates_are_kept_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
