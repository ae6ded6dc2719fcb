/**
 * The part of FFmpeg's ABI that has been the same in all releases this plugin knows. What differs is in layout.h.
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
#define AV_CODEC_FLAG_LOW_DELAY (1 << 19)
#define AV_PKT_FLAG_DISCARD 4
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

/** FFCodecDefault: the default of a generic option for one codec. */
struct codec_default {
    const char *key, *value;
};

typedef struct AVCodecContext AVCodecContext;
typedef struct AVFrame AVFrame;
typedef struct AVPacket AVPacket;

/** Functions of libavcodec and libavutil that the plugin calls; each is found by name in the host's libraries. */
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
    X(int, av_frame_get_buffer, (AVFrame * frame, int align))                                                          \
    X(void *, av_frame_new_side_data, (AVFrame * frame, int type, size_t size))                                        \
    X(AVPacket *, av_packet_alloc, (void))                                                                             \
    X(void, av_packet_free, (AVPacket * *packet))                                                                      \
    X(int, av_new_packet, (AVPacket * packet, int size))                                                               \
    X(void *, av_mallocz, (size_t size))                                                                               \
    X(int, av_get_pix_fmt, (const char *name))                                                                         \
    X(const void *, av_opt_find, (void *object, const char *name, const char *unit, int flags, int search))            \
    X(int, av_opt_get_int, (void *object, const char *name, int search, int64_t *value))                               \
    X(const void *, av_opt_next, (const void *object, const void *previous))                                           \
    X(const char *, av_default_item_name, (void *object))                                                              \
    X(void, av_log, (void *object, int level, const char *format, ...))

#endif
