/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** What the GStreamer elements gvcdec and gvcenc share. */
#ifndef GST_GVC_H
#define GST_GVC_H

#include <gst/video/gstvideodecoder.h>
#include <gst/video/gstvideoencoder.h>

#include <gvc.h>

G_DECLARE_FINAL_TYPE(GstGvcDec, gst_gvc_dec, GST, GVC_DEC, GstVideoDecoder)
G_DECLARE_FINAL_TYPE(GstGvcEnc, gst_gvc_enc, GST, GVC_ENC, GstVideoEncoder)

GST_DEBUG_CATEGORY_EXTERN(gst_gvc_debug);
#define GST_CAT_DEFAULT gst_gvc_debug

/* ---- Caps ---- */

/** Caps of GVC in Matroska, as matroskademux gives them. */
#define GST_GVC_CAPS_MATROSKA "video/x-unknown, codec-id = (string) V_MS/VFW/FOURCC, fourcc = (string) GVC1"

/** The FourCC GVC1 as a number. */
#define GST_GVC_FOURCC "826496583"

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define GST_GVC_NATIVE(format) format "LE"
#else
#define GST_GVC_NATIVE(format) format "BE"
#endif

/** Raw formats of decoder and encoder. */
#define GST_GVC_RAW_FORMATS                                                                                            \
    "I420, Y444, GBR, " GST_GVC_NATIVE("I420_10") ", " GST_GVC_NATIVE("Y444_10") ", " GST_GVC_NATIVE("GBR_10")

/** Return the enum gvc_sample_format of a raw format, 0 if there is none. */
int gst_gvc_sample_format(GstVideoFormat format);

/** Return the raw format of an enum gvc_sample_format, GST_VIDEO_FORMAT_UNKNOWN if there is none. */
GstVideoFormat gst_gvc_video_format(int sample_format);

/** Copy the rates, the shape of pixels and the colour that a stream names; what it does not name stays as it is. */
void gst_gvc_read_format(GstVideoInfo *info, const gvc_params *format);

/** Return the parameters of an encoder for raw video. Ticks are nanoseconds. */
gvc_params gst_gvc_write_format(const GstVideoInfo *info);

/** Point a picture to the planes of a mapped frame. */
void gst_gvc_use_planes(gvc_picture *picture, const GstVideoFrame *frame);

/* ---- Options: the properties of both elements, from the table in gvc/options.py ---- */

/** Add a property for each option to a class. */
void gst_gvc_install_decoder_options(GObjectClass *object_class);
void gst_gvc_install_encoder_options(GObjectClass *object_class);

/** Return an empty set of options. */
GstStructure *gst_gvc_options_new(void);

/** Set or get an option. The caller holds the object's lock. */
void gst_gvc_options_set(GstStructure *options, const GParamSpec *spec, const GValue *value);
void gst_gvc_options_get(const GstStructure *options, GParamSpec *spec, GValue *value);

/** Return the options that were set, as gvc_params takes them. The caller frees the text. */
char *gst_gvc_options_text(const GstStructure *options);

/* ---- Errors ---- */

/** Post an error with the sentence of a failed call of libgvc. */
void gst_gvc_post_error(GstElement *element, const gvc_context *gvc, int result);

#endif
