/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Prints the entries of one row of ffmpeg_bridge/plugin/layouts.inc, one a line, for the FFmpeg release with whose
 * headers it is compiled. make_layout.py compiles and runs this program. The plugin itself is built without FFmpeg's
 * headers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "libavcodec/avcodec.h"
#include "libavcodec/codec_desc.h"
#include "libavcodec/codec_internal.h"
#include "libavcodec/decode.h"
#include "libavformat/avformat.h"
#include "libavutil/frame.h"
#include "libavutil/opt.h"
#if LIBAVFORMAT_VERSION_MAJOR >= 60
#include "libavformat/mux.h"
#endif

#include "../plugin/layout_fields.h"

/** The offset of a member. It does not compile if the member has not `size` bytes. */
#define MEMBER(type, member, size)                                                                                     \
    ((int)offsetof(type, member) + 0 * (int)sizeof(char[sizeof(((type *)0)->member) == (size) ? 1 : -1]))

/** The 32-bit word that holds FFCodec's bit fields, with ones in this field, which shows its place. */
#define BITS_WORD(field)                                                                                               \
    ({                                                                                                                 \
        FFCodec codec;                                                                                                 \
        memset(&codec, 0, sizeof(codec));                                                                              \
        codec.field = ~0u;                                                                                             \
        uint32_t word;                                                                                                 \
        memcpy(&word, (char *)&codec + CODEC_BITS_WORD, sizeof(word));                                                 \
        word;                                                                                                          \
    })
#define BITS_SHIFT(field) __builtin_ctz(BITS_WORD(field))
#define BITS_WIDTH(field) __builtin_popcount(BITS_WORD(field))
#define CODEC_BITS_WORD ((int)sizeof(AVCodec))

#define SIDE_DATA_PAIR(packet, frame) (AV_PKT_DATA_##packet * 256 + AV_FRAME_DATA_##frame)
#define SIDE_DATA_TYPES(type) SIDE_DATA_PAIR(type, type)

/* Differences between releases. */
#if LIBAVCODEC_VERSION_MAJOR < 61 /* coded_side_data was for encoders only */
#define SIDE_DATA_MEMBER(member, size) (-1)
#else
#define SIDE_DATA_MEMBER(member, size) MEMBER(AVCodecContext, member, size)
#endif
#if LIBAVUTIL_VERSION_INT <                                                                                            \
    AV_VERSION_INT(57, 30, 0) /* frames had only the duration of their packet, in its time base */
#define FRAME_DURATION pkt_duration
#define FRAME_DURATION_VALID 0
#else
#define FRAME_DURATION duration
#define FRAME_DURATION_VALID 1
#endif
#if LIBAVUTIL_VERSION_INT < AV_VERSION_INT(58, 7, 0) /* the key flag was a member of its own */
#define FRAME_KEY_MEMBER MEMBER(AVFrame, key_frame, 4)
#define FRAME_FLAG_KEY 0
#else
#define FRAME_KEY_MEMBER (-1)
#define FRAME_FLAG_KEY AV_FRAME_FLAG_KEY
#endif
#if LIBAVCODEC_VERSION_MAJOR < 61
#define SIDE_DATA_VIEWING (-1)
#else
#define SIDE_DATA_VIEWING SIDE_DATA_TYPES(AMBIENT_VIEWING_ENVIRONMENT)
#endif
#if LIBAVCODEC_VERSION_MAJOR < 62
#define SIDE_DATA_DISPLAYS (-1)
#else
#define SIDE_DATA_DISPLAYS SIDE_DATA_TYPES(3D_REFERENCE_DISPLAYS)
#endif
#if LIBAVCODEC_VERSION_MAJOR < 63
#define SIDE_DATA_HDR_APP5 (-1)
#else
#define SIDE_DATA_HDR_APP5 SIDE_DATA_TYPES(DYNAMIC_HDR_SMPTE_2094_APP5)
#endif
#if LIBAVCODEC_VERSION_MAJOR < 61 /* AVPacket.opaque has replaced reordered_opaque */
#define REORDERED_OPAQUE(type) MEMBER(type, reordered_opaque, 8)
#else
#define REORDERED_OPAQUE(type) (-1)
#endif
#if LIBAVCODEC_VERSION_MAJOR < 60
#define FLAG_COPY_OPAQUE 0
#else
#define FLAG_COPY_OPAQUE AV_CODEC_FLAG_COPY_OPAQUE
#endif
#if LIBAVUTIL_VERSION_MAJOR < 60
#define FRAME_PACKET_MEMBER(member, size) MEMBER(AVFrame, member, size)
#define DECODE_DATA_IS_REFSTRUCT 0
#else
#define FRAME_PACKET_MEMBER(member, size) (-1)
#define DECODE_DATA_IS_REFSTRUCT 1
#endif
#if LIBAVCODEC_VERSION_MAJOR < 60
#define CAP_INIT_THREADSAFE FF_CODEC_CAP_INIT_THREADSAFE
#else /* codecs are thread-safe by default */
#define CAP_INIT_THREADSAFE 0
#endif
#if LIBAVCODEC_VERSION_INT < AV_VERSION_INT(61, 13, 0)
#define COLOR_RANGES_SHIFT (-1)
#define COLOR_RANGES_WIDTH 0
#else
#define COLOR_RANGES_SHIFT BITS_SHIFT(color_ranges)
#define COLOR_RANGES_WIDTH BITS_WIDTH(color_ranges)
#endif
#if LIBAVCODEC_VERSION_MAJOR < 63
#define CODEC_LISTS p.
#else
#define CODEC_LISTS
#endif
#if LIBAVFORMAT_VERSION_MAJOR < 60
#define MUXER AVOutputFormat
#else
#define MUXER FFOutputFormat
#endif

int main(int argc, char **argv) {
    printf(".release=\"%s\"\n.major=%d\n.minor=%d\n", argc > 1 ? argv[1] : "?", LIBAVCODEC_VERSION_MAJOR,
           LIBAVCODEC_VERSION_MINOR);
#define PRINT(name, value) printf(".%s=%d\n", #name, (int)(value));
    GVC_LAYOUT_FIELDS(PRINT)
    return 0;
}
