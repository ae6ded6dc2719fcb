/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of pictures in the terms of GStreamer and of libgvc. */
#include "gstgvc.h"

#include <string.h>

enum { RANGE_LIMITED = 1, RANGE_FULL = 2 }; /* values of FFmpeg's AVColorRange */
enum { MATRIX_UNKNOWN = 2 };                /* "unspecified" in H.273, for primaries and transfer functions too */

static const struct {
    const char *name;
    enum gvc_sample_format samples;
} formats[] = {
    {"I420", GVC_SAMPLES_YUV420P}, {GST_GVC_NATIVE("I420_10"), GVC_SAMPLES_YUV420P10},
    {"Y444", GVC_SAMPLES_YUV444P}, {GST_GVC_NATIVE("Y444_10"), GVC_SAMPLES_YUV444P10},
    {"GBR", GVC_SAMPLES_GBRP},     {GST_GVC_NATIVE("GBR_10"), GVC_SAMPLES_GBRP10},
    {"RGB", GVC_SAMPLES_RGB24},
};

/** Chroma sites, each at the index of its counterpart in FFmpeg's AVChromaLocation. */
static const GstVideoChromaSite chroma_sites[] = {
    GST_VIDEO_CHROMA_SITE_UNKNOWN, GST_VIDEO_CHROMA_SITE_H_COSITED, GST_VIDEO_CHROMA_SITE_NONE,
    GST_VIDEO_CHROMA_SITE_COSITED, GST_VIDEO_CHROMA_SITE_V_COSITED,
};

int gst_gvc_sample_format(GstVideoFormat format) {
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (!strcmp(formats[i].name, gst_video_format_to_string(format)))
            return formats[i].samples;
    return 0;
}

GstVideoFormat gst_gvc_video_format(int sample_format) {
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].samples == (enum gvc_sample_format)sample_format)
            return gst_video_format_from_string(formats[i].name);
    return GST_VIDEO_FORMAT_UNKNOWN;
}

static void read_colour(GstVideoInfo *info, const gvc_params *format) {
    GstVideoColorimetry *colour = &info->colorimetry;
    if (format->color_range == RANGE_LIMITED)
        colour->range = GST_VIDEO_COLOR_RANGE_16_235;
    else if (format->color_range == RANGE_FULL)
        colour->range = GST_VIDEO_COLOR_RANGE_0_255;
    if (format->colorspace != MATRIX_UNKNOWN)
        colour->matrix = gst_video_color_matrix_from_iso((guint)format->colorspace);
    if (format->color_primaries != MATRIX_UNKNOWN)
        colour->primaries = gst_video_color_primaries_from_iso((guint)format->color_primaries);
    if (format->color_trc != MATRIX_UNKNOWN)
        colour->transfer = gst_video_transfer_function_from_iso((guint)format->color_trc);
    if (format->chroma_location > 0 && format->chroma_location < (int)G_N_ELEMENTS(chroma_sites))
        info->chroma_site = chroma_sites[format->chroma_location];
}

void gst_gvc_read_format(GstVideoInfo *info, const gvc_params *format) {
    read_colour(info, format);
    if (format->sar_num > 0) {
        info->par_n = format->sar_num;
        info->par_d = format->sar_den;
    }
    if (info->fps_n == 0 && format->frame_rate_num > 0) { /* the container's rate comes first */
        info->fps_n = format->frame_rate_num;
        info->fps_d = format->frame_rate_den;
    }
}

static int chroma_location(GstVideoChromaSite site) {
    for (int i = 1; i < (int)G_N_ELEMENTS(chroma_sites); i++)
        if (chroma_sites[i] == site)
            return i;
    return 0;
}

gvc_params gst_gvc_write_format(const GstVideoInfo *info) {
    const GstVideoColorimetry *colour = &info->colorimetry;
    return (gvc_params){
        .struct_size = sizeof(gvc_params),
        .sample_format = gst_gvc_sample_format(GST_VIDEO_INFO_FORMAT(info)),
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .time_base_num = 1,
        .time_base_den = GST_SECOND,
        .frame_rate_num = GST_VIDEO_INFO_FPS_N(info),
        .frame_rate_den = GST_VIDEO_INFO_FPS_D(info),
        .sar_num = GST_VIDEO_INFO_PAR_N(info),
        .sar_den = GST_VIDEO_INFO_PAR_D(info),
        .color_range = colour->range == GST_VIDEO_COLOR_RANGE_0_255    ? RANGE_FULL
                       : colour->range == GST_VIDEO_COLOR_RANGE_16_235 ? RANGE_LIMITED
                                                                       : 0,
        .colorspace = (int)gst_video_color_matrix_to_iso(colour->matrix),
        .color_primaries = (int)gst_video_color_primaries_to_iso(colour->primaries),
        .color_trc = (int)gst_video_transfer_function_to_iso(colour->transfer),
        .chroma_location = chroma_location(info->chroma_site),
    };
}

void gst_gvc_use_planes(gvc_picture *picture, const GstVideoFrame *frame) {
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(frame); i++) {
        picture->data[i] = GST_VIDEO_FRAME_PLANE_DATA(frame, i);
        picture->stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, i);
    }
}
