// How do frames become a Matroska file?
// SPDX-License-Identifier: MIT
#include "sfu/record_file.h"

#include <errno.h>
#include <glib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>

#include "sfu/record_disk.h"
#include "sfu/record_repair.h"

enum {
    IO_LEN = 65536,
    MILLISECOND_US = 1000,
    MILLION = 1000000,
    OPUS_HZ = 48000,
    OPUS_SEEK_PREROLL = 3840, // samples, 80 ms (RFC 7845 section 4.6)
    OPUS_CHANNELS = 2,        // RFC 7587 section 7: a receiver must be ready for both; mono decodes to both
    OPUS_HEAD_LEN = 19,       // RFC 7845 section 5.1
};

struct record_file {
    struct record_disk *disk;
    AVFormatContext *muxer;
    int64_t at;        // where the muxer writes next
    int64_t next_tick; // the first one that is free
    bool dirty, begun;
    int err; // the first error; from then on nothing is taken
};

const char *record_file_extension(enum codec codec)
{
    return codec == CODEC_H264 ? "mkv" : "webm";
}

// ---- the muxer's calls -------------------------------------------------------------------------------------------

#if LIBAVFORMAT_VERSION_MAJOR >= 61
static int on_write(void *arg, const uint8_t *data, int len)
#else
static int on_write(void *arg, uint8_t *data, int len)
#endif
{
    struct record_file *f = arg;
    int rc = record_disk_put(f->disk, f->at, data, (size_t)len);
    if (rc < 0)
        return AVERROR(-rc);
    f->at += len;
    return len;
}

static int64_t on_seek(void *arg, int64_t offset, int whence)
{
    struct record_file *f = arg;
    int64_t end = record_disk_end(f->disk);
    if (whence & AVSEEK_SIZE)
        return end;
    whence &= ~AVSEEK_FORCE;
    int64_t at = whence == SEEK_CUR ? f->at + offset : whence == SEEK_END ? end + offset : offset;
    if (at < 0 || at > end)
        return AVERROR(EINVAL);
    return f->at = at;
}

// ---- what the file says about its track --------------------------------------------------------------------------

static enum AVCodecID av_codec(enum codec codec)
{
    switch (codec) {
    case CODEC_VP8:
        return AV_CODEC_ID_VP8;
    case CODEC_VP9:
        return AV_CODEC_ID_VP9;
    case CODEC_H264:
        return AV_CODEC_ID_H264;
    case CODEC_AV1:
        return AV_CODEC_ID_AV1;
    default:
        return AV_CODEC_ID_OPUS;
    }
}

static void set_extradata(AVCodecParameters *par, const uint8_t *data, size_t len)
{
    if (!len)
        return;
    par->extradata = av_mallocz(len + AV_INPUT_BUFFER_PADDING_SIZE);
    g_assert(par->extradata);
    memcpy(par->extradata, data, len);
    par->extradata_size = (int)len;
}

// Pre-skip 0: the beginning of the stream was never here, there is nothing to skip.
static void describe_sound(AVCodecParameters *par)
{
    uint8_t head[OPUS_HEAD_LEN] = "OpusHead\1"; // version 1
    head[9] = OPUS_CHANNELS;
    head[12] = OPUS_HZ & 0xff; // little endian
    head[13] = OPUS_HZ >> 8;
    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->sample_rate = OPUS_HZ;
    par->seek_preroll = OPUS_SEEK_PREROLL;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(59, 24, 100)
    av_channel_layout_default(&par->ch_layout, OPUS_CHANNELS);
#else
    par->channels = OPUS_CHANNELS;
    par->channel_layout = AV_CH_LAYOUT_STEREO;
#endif
    set_extradata(par, head, sizeof(head));
}

static void describe(AVStream *stream, enum codec codec, const struct record_frame *first)
{
    AVCodecParameters *par = stream->codecpar;
    par->codec_id = av_codec(codec);
    stream->time_base = (AVRational){1, MILLION};
    if (!codec_is_video(codec)) {
        describe_sound(par);
        return;
    }
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->width = first->width ? first->width : 1; // a player takes it from the pictures
    par->height = first->height ? first->height : 1;
    set_extradata(par, first->config, first->config_len);
}

// ---- life --------------------------------------------------------------------------------------------------------

static int errno_of(int averror)
{
    return averror == AVERROR(ENOMEM) || averror == AVERROR(EINVAL) ? averror : averror < 0 ? -EIO : 0;
}

static void write_date(AVFormatContext *muxer, int64_t wall_us)
{
    GDateTime *date = g_date_time_new_from_unix_utc(wall_us / MILLION);
    char *text = g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
    av_dict_set(&muxer->metadata, "creation_time", text, 0);
    g_free(text);
    g_date_time_unref(date);
}

static int begin(struct record_file *f, enum codec codec, const struct record_frame *first, int64_t wall_us)
{
    const char *format = codec == CODEC_H264 ? "matroska" : "webm";
    if (avformat_alloc_output_context2(&f->muxer, NULL, format, NULL) < 0)
        return -ENOMEM;
    AVFormatContext *m = f->muxer;
    AVStream *stream = avformat_new_stream(m, NULL);
    uint8_t *buf = av_malloc(IO_LEN);
    m->pb = buf && stream ? avio_alloc_context(buf, IO_LEN, 1, f, NULL, on_write, on_seek) : NULL;
    if (!m->pb) {
        av_free(buf);
        return -ENOMEM;
    }
    m->flags |= AVFMT_FLAG_CUSTOM_IO;
    describe(stream, codec, first);
    write_date(m, wall_us);
    // Without checksums, so that record_repair() can fill in what an interrupted writer could not.
    av_opt_set(m, "write_crc32", "0", AV_OPT_SEARCH_CHILDREN);
    int rc = avformat_write_header(m, NULL);
    if (rc < 0)
        return errno_of(rc);
    f->begun = true;
    return 0;
}

int record_file_new(int dir_fd, const char *name, enum codec codec, const struct record_frame *first, int64_t wall_us,
                    struct record_file **file)
{
    struct record_disk *disk = record_disk_new(dir_fd, name);
    if (!disk)
        return -errno;
    struct record_file *f = g_new0(struct record_file, 1);
    f->disk = disk;
    f->err = begin(f, codec, first, wall_us);
    if (f->err == 0) {
        *file = f;
        return 0;
    }
    int err = f->err;
    record_file_free(f);
    return err;
}

int record_file_put(struct record_file *f, const struct record_frame *frame, int64_t at_us, int64_t duration_us)
{
    if (f->err)
        return f->err;
    AVPacket *packet = av_packet_alloc();
    g_assert(packet);
    AVRational from = {1, MILLION}, to = f->muxer->streams[0]->time_base;
    int rc = av_new_packet(packet, (int)frame->len);
    if (rc == 0) {
        memcpy(packet->data, frame->data, frame->len);
        // Two frames of one tick (1 ms) would be one to a player.
        f->next_tick = MAX(av_rescale_q(at_us, from, to), f->next_tick);
        packet->pts = packet->dts = f->next_tick++;
        packet->duration = av_rescale_q(duration_us, from, to);
        packet->flags = frame->keyframe ? AV_PKT_FLAG_KEY : 0;
        rc = av_write_frame(f->muxer, packet);
    }
    av_packet_free(&packet);
    f->dirty |= rc == 0;
    return errno_of(rc);
}

int record_file_flush(struct record_file *f)
{
    if (f->err || !f->dirty)
        return f->err;
    f->dirty = false;
    int rc = av_write_frame(f->muxer, NULL); // ends the cluster
    avio_flush(f->muxer->pb);
    f->err = errno_of(rc);
    if (!f->err)
        f->err = record_disk_flush(f->disk);
    return f->err;
}

// The lengths in the file's head, and where its key frames are.
static int finish(struct record_file *f)
{
    int rc = av_write_trailer(f->muxer);
    avio_flush(f->muxer->pb);
    return rc < 0 ? errno_of(rc) : record_disk_flush(f->disk);
}

static void free_muxer(struct record_file *f)
{
    if (!f->muxer)
        return;
    if (f->muxer->pb)
        av_freep(&f->muxer->pb->buffer);
    avio_context_free(&f->muxer->pb);
    avformat_free_context(f->muxer);
}

int record_file_free(struct record_file *f)
{
    int err = record_file_flush(f);
    if (!err && f->begun)
        err = finish(f);
    free_muxer(f);
    if (err)
        record_repair(record_disk_fd(f->disk), NULL);
    int unsafe = record_disk_sync(f->disk); // a manifest that says "complete" must not outlive what it tells of
    if (!err)
        err = unsafe;
    record_disk_free(f->disk);
    g_free(f);
    return err;
}

int64_t record_file_bytes(const struct record_file *f)
{
    return record_disk_written(f->disk);
}

bool record_file_is_dirty(const struct record_file *f)
{
    return f->dirty;
}
