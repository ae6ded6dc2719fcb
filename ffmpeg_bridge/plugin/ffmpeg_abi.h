/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The part of FFmpeg's ABI that is the same in all releases that the plugin knows. Differences are in layout.h.
 */
#ifndef GVC_FFMPEG_ABI_H
#define GVC_FFMPEG_ABI_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

#define AVERROR(e) (-(e))
#define AVERROR_BUG (-(int)FOURCC('B', 'U', 'G', '!'))
#define AVERROR_EXTERNAL (-(int)FOURCC('E', 'X', 'T', ' '))
#define AVERROR_INVALIDDATA (-(int)FOURCC('I', 'N', 'D', 'A'))

#define AV_LOG_ERROR 16
#define AVCOL_RANGE_JPEG 2
#define AV_NOPTS_VALUE INT64_MIN
#define AV_CODEC_CAP_DR1 2
#define AV_CODEC_FLAG_LOW_DELAY (1 << 19)
#define AV_PKT_FLAG_DISCARD 4
#define AV_FRAME_FLAG_CORRUPT 1
#define FF_THREAD_FRAME 1
#define AVDISCARD_NONINTRA 24
#define AVDISCARD_ALL 48

struct rational {
    int num, den;
};

/** A row of avformat_get_riff_video_tags(). */
struct codec_tag {
    int id;
    uint32_t tag;
};

/** FFCodecDefault: a codec's own default for an option that all codecs have. */
struct codec_default {
    const char *key, *value;
};

typedef struct AVCodecContext AVCodecContext;
typedef struct AVFrame AVFrame;
typedef struct AVPacket AVPacket;

typedef int get_buffer2_function(AVCodecContext *avctx, AVFrame *frame, int flags);

/** Functions of libavcodec and libavutil that the plugin calls, looked up by name in each host. */
#define FFMPEG_FUNCTIONS(X)                                                                                            \
    X(unsigned, avcodec_version, (void))                                                                               \
    X(unsigned, avutil_version, (void))                                                                                \
    X(const void *, avcodec_get_class, (void))                                                                         \
    X(void *, avcodec_find_encoder_by_name, (const char *name))                                                        \
    X(void *, avcodec_find_decoder_by_name, (const char *name))                                                        \
    X(void *, avcodec_descriptor_get, (int id))                                                                        \
    X(void *, avcodec_descriptor_get_by_name, (const char *name))                                                      \
    X(AVCodecContext *, avcodec_alloc_context3, (const void *codec))                                                   \
    X(void, avcodec_free_context, (AVCodecContext * *context))                                                         \
    X(AVFrame *, av_frame_alloc, (void))                                                                               \
    X(void, av_frame_free, (AVFrame * *frame))                                                                         \
    X(void, av_frame_move_ref, (AVFrame * frame, AVFrame * other))                                                     \
    X(void *, av_frame_get_side_data, (const AVFrame *frame, int type))                                                \
    X(void *, av_frame_new_side_data, (AVFrame * frame, int type, size_t size))                                        \
    X(int, avcodec_default_get_buffer2, (AVCodecContext * avctx, AVFrame * frame, int flags))                          \
    X(void *, av_buffer_allocz, (size_t size))                                                                         \
    X(int, av_buffer_replace, (void **buffer, const void *other))                                                      \
    X(AVPacket *, av_packet_alloc, (void))                                                                             \
    X(void, av_packet_free, (AVPacket * *packet))                                                                      \
    X(int, av_new_packet, (AVPacket * packet, int size))                                                               \
    X(int, av_packet_copy_props, (AVPacket * packet, const AVPacket *other))                                           \
    X(uint8_t *, av_packet_new_side_data, (AVPacket * packet, int type, size_t size))                                  \
    X(uint8_t *, av_packet_get_side_data, (const AVPacket *packet, int type, size_t *size))                            \
    X(int, av_packet_unpack_dictionary, (const uint8_t *data, size_t size, void **dictionary))                         \
    X(int, av_image_check_size2,                                                                                       \
      (unsigned width, unsigned height, int64_t max_pixels, int format, int log_offset, void *log))                    \
    X(int, av_pix_fmt_count_planes, (int format))                                                                      \
    X(void *, av_mallocz, (size_t size))                                                                               \
    X(int, av_get_pix_fmt, (const char *name))                                                                         \
    X(const void *, av_opt_find, (void *object, const char *name, const char *unit, int flags, int search))            \
    X(int, av_opt_get_int, (void *object, const char *name, int search, int64_t *value))                               \
    X(const void *, av_opt_next, (const void *object, const void *previous))                                           \
    X(const char *, av_default_item_name, (void *object))                                                              \
    X(void, av_log, (void *object, int level, const char *format, ...))

/** Functions that only newer releases have; their pointers are NULL in older ones. */
#define NEWER_FFMPEG_FUNCTIONS(X)                                                                                      \
    X(void *, av_refstruct_alloc_ext_c, (size_t size, unsigned flags, const void *opaque, void (*free)(void *, void *)))

#endif
