/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of pictures in VLC's terms. */
#include "vlcgvc.h"

enum { RANGE_LIMITED = 1, RANGE_FULL = 2 }; /* values of FFmpeg's AVColorRange */

#define NATIVE(little, big) (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? (big) : (little))

static vlc_fourcc_t chroma_of(int sample_format) {
    switch (sample_format) {
    case GVC_SAMPLES_YUV444P:
        return VLC_CODEC_I444;
    case GVC_SAMPLES_GBRP:
        return VLC_CODEC_GBR_PLANAR;
    case GVC_SAMPLES_YUV420P10:
        return NATIVE(VLC_CODEC_I420_10L, VLC_CODEC_I420_10B);
    case GVC_SAMPLES_YUV444P10:
        return NATIVE(VLC_CODEC_I444_10L, VLC_CODEC_I444_10B);
    case GVC_SAMPLES_GBRP10:
        return NATIVE(VLC_CODEC_GBR_PLANAR_10L, VLC_CODEC_GBR_PLANAR_10B);
    default:
        return VLC_CODEC_I420;
    }
}

/* Each value of VLC stands at the index of its code point in H.273; those that VLC does not know are 0. */

static const unsigned char primaries[] = {
    [1] = COLOR_PRIMARIES_BT709,     [4] = COLOR_PRIMARIES_BT470_M,   [5] = COLOR_PRIMARIES_BT470_BG,
    [6] = COLOR_PRIMARIES_SMTPE_170, [7] = COLOR_PRIMARIES_SMTPE_240, [9] = COLOR_PRIMARIES_BT2020,
    [11] = COLOR_PRIMARIES_DCI_P3,   [22] = COLOR_PRIMARIES_EBU_3213,
};
static const unsigned char transfers[] = {
    [1] = TRANSFER_FUNC_BT709,         [4] = TRANSFER_FUNC_BT470_M,   [5] = TRANSFER_FUNC_BT470_BG,
    [6] = TRANSFER_FUNC_SMPTE_170,     [7] = TRANSFER_FUNC_SMPTE_240, [8] = TRANSFER_FUNC_LINEAR,
    [13] = TRANSFER_FUNC_SRGB,         [14] = TRANSFER_FUNC_BT2020,   [15] = TRANSFER_FUNC_BT2020,
    [16] = TRANSFER_FUNC_SMPTE_ST2084, [18] = TRANSFER_FUNC_HLG,
};
static const unsigned char matrices[] = {
    [1] = COLOR_SPACE_BT709,     [5] = COLOR_SPACE_BT601,  [6] = COLOR_SPACE_SMPTE_170,
    [7] = COLOR_SPACE_SMPTE_240, [9] = COLOR_SPACE_BT2020, [10] = COLOR_SPACE_BT2020,
};

#define LOOK_UP(table, index, otherwise)                                                                               \
    ((index) >= 0 && (size_t)(index) < ARRAY_SIZE(table) && (table)[index] ? (table)[index] : (otherwise))

static void read_colour(video_format_t *video, const gvc_params *format) {
    video->primaries = LOOK_UP(primaries, format->color_primaries, video->primaries);
    video->transfer = LOOK_UP(transfers, format->color_trc, video->transfer);
    video->space = LOOK_UP(matrices, format->colorspace, video->space);
    if (format->color_range == RANGE_LIMITED || format->color_range == RANGE_FULL)
        video->b_color_range_full = format->color_range == RANGE_FULL;
    if (format->chroma_location > 0 && format->chroma_location <= CHROMA_LOCATION_MAX)
        video->chroma_location = (video_chroma_location_t)format->chroma_location; /* the numbers are the same */
}

void gvc_vlc_read_format(video_format_t *video, const video_format_t *container, const gvc_params *format) {
    *video = *container;
    video->p_palette = NULL;
    video->i_chroma = chroma_of(format->sample_format);
    video->i_x_offset = video->i_y_offset = 0;
    video->i_width = video->i_visible_width = (unsigned)format->width;
    video->i_height = video->i_visible_height = (unsigned)format->height;
    if (format->sar_num > 0) {
        video->i_sar_num = (unsigned)format->sar_num;
        video->i_sar_den = (unsigned)format->sar_den;
    } else if (!video->i_sar_num) {
        video->i_sar_num = video->i_sar_den = 1;
    }
    if (!video->i_frame_rate && format->frame_rate_num > 0) { /* the container's rate comes first */
        video->i_frame_rate = (unsigned)format->frame_rate_num;
        video->i_frame_rate_base = (unsigned)format->frame_rate_den;
    }
    read_colour(video, format);
}
