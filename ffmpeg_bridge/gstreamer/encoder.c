/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The element gvcenc. */
#include "gstgvc.h"

struct _GstGvcEnc {
    GstVideoEncoder parent;
    GstStructure *options;
    gvc_context *gvc;          ///< NULL without caps
    GstVideoCodecState *input; ///< format of the pictures
};

G_DEFINE_TYPE(GstGvcEnc, gst_gvc_enc, GST_TYPE_VIDEO_ENCODER)

/*
 * GStreamer's muxers take a closed list of codecs. Two of those leave the FourCC to the caps: WMV for matroskamux, and
 * the codecs that qtmux does not know. The files are the same as those of other programs.
 */
#define CAPS_MATROSKAMUX "video/x-wmv, wmvversion = (int) 3, format = (string) GVC1"
#define CAPS_QTMUX "video/x-qt-part, format = (uint) " GST_GVC_FOURCC

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ " GST_GVC_RAW_FORMATS ", RGB }")));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_GVC_CAPS_MATROSKA "; " CAPS_MATROSKAMUX "; " CAPS_QTMUX));

/** Return whether caps come from avimux. It takes WMV too, but writes that name and not the one in the caps. */
static gboolean is_renamed(const GstStructure *allowed) {
    return gst_structure_has_name(allowed, "video/x-wmv") && gst_structure_has_field(allowed, "framerate");
}

/** Return the output's caps without the fields that the base class adds. NULL = the next element takes none. */
static GstCaps *choose_caps(GstGvcEnc *enc) {
    GstPad *pad = GST_VIDEO_ENCODER_SRC_PAD(enc);
    GstCaps *allowed = gst_pad_get_allowed_caps(pad);
    if (!allowed) /* not linked yet */
        allowed = gst_pad_get_pad_template_caps(pad);
    GstCaps *chosen = NULL;
    for (guint i = 0; i < gst_caps_get_size(allowed) && !chosen; i++)
        if (!is_renamed(gst_caps_get_structure(allowed, i)))
            chosen = gst_caps_fixate(gst_caps_copy_nth(allowed, i));
    gst_caps_unref(allowed);
    return chosen;
}

static int open_encoder(GstGvcEnc *enc, const GstVideoInfo *info) {
    GST_OBJECT_LOCK(enc);
    char *options = gst_gvc_options_text(enc->options);
    GST_OBJECT_UNLOCK(enc);
    gvc_params params = gst_gvc_write_format(info);
    params.options = options;
    int result = gvc_encoder_open(&enc->gvc, &params);
    g_free(options);
    return result;
}

/** Set the output's caps, with the sequence header as codec data. Returns GVC_OK or an error of libgvc. */
static int describe_output(GstGvcEnc *enc, GstCaps *caps, GstVideoCodecState *input) {
    const uint8_t *header;
    size_t size;
    int result = gvc_encoder_extradata(enc->gvc, &header, &size);
    if (result != GVC_OK)
        return result;
    GstVideoCodecState *output = gst_video_encoder_set_output_state(GST_VIDEO_ENCODER(enc), gst_caps_ref(caps), input);
    output->codec_data = gst_buffer_new_memdup(header, size);
    gst_video_codec_state_unref(output);
    return GVC_OK;
}

/** Tell the pipeline how far the encoder looks ahead; only live pipelines ask. */
static void report_latency(GstGvcEnc *enc, const GstVideoInfo *info) {
    gint64 frames;
    g_object_get(enc, "keyint", &frames, NULL);
    if (info->fps_n > 0) {
        GstClockTime latency =
            gst_util_uint64_scale((guint64)frames, GST_SECOND * (guint64)info->fps_d, (guint64)info->fps_n);
        gst_video_encoder_set_latency(GST_VIDEO_ENCODER(enc), latency, latency);
    }
}

static GstFlowReturn fail(GstGvcEnc *enc, int result) {
    gst_gvc_post_error(GST_ELEMENT(enc), enc->gvc, result);
    return GST_FLOW_ERROR;
}

/** Output a packet as the oldest frame; packets come in the order of pictures, one for each. */
static GstFlowReturn output_packet(GstGvcEnc *enc, const gvc_packet *packet) {
    GstVideoEncoder *encoder = GST_VIDEO_ENCODER(enc);
    GstVideoCodecFrame *frame = gst_video_encoder_get_oldest_frame(encoder);
    if (!frame)
        return GST_FLOW_OK;
    frame->output_buffer = gst_buffer_new_memdup(packet->data, packet->size);
    frame->dts = frame->pts;
    if (packet->flags & GVC_PACKET_KEY)
        GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    return gst_video_encoder_finish_frame(encoder, frame);
}

static GstFlowReturn output_packets(GstGvcEnc *enc) {
    GstFlowReturn flow = GST_FLOW_OK;
    gvc_packet packet;
    int result = GVC_OK;
    while (flow == GST_FLOW_OK && (result = gvc_encoder_receive(enc->gvc, &packet)) == GVC_OK)
        flow = output_packet(enc, &packet);
    return result == GVC_OK || result == GVC_AGAIN || result == GVC_EOF ? flow : fail(enc, result);
}

static GstFlowReturn gst_gvc_enc_handle_frame(GstVideoEncoder *encoder, GstVideoCodecFrame *frame) {
    GstGvcEnc *enc = GST_GVC_ENC(encoder);
    GstVideoFrame mapped;
    gvc_picture picture = {
        .pts = GST_CLOCK_TIME_IS_VALID(frame->pts) ? (int64_t)frame->pts : GVC_NOPTS,
        .duration = GST_CLOCK_TIME_IS_VALID(frame->duration) ? (int64_t)frame->duration : 0,
        .key = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame),
    };
    int result = GVC_ERROR_MEMORY;
    if (gst_video_frame_map(&mapped, &enc->input->info, frame->input_buffer, GST_MAP_READ)) {
        gst_gvc_use_planes(&picture, &mapped);
        result = gvc_encoder_send(enc->gvc, &picture);
        gst_video_frame_unmap(&mapped);
    }
    gst_video_codec_frame_unref(frame); /* the base class keeps it until its packet comes */
    return result == GVC_OK ? output_packets(enc) : fail(enc, result);
}

/** Output all packets that are missing. The encoder can go on with a new GOP. */
static GstFlowReturn gst_gvc_enc_finish(GstVideoEncoder *encoder) {
    GstGvcEnc *enc = GST_GVC_ENC(encoder);
    if (!enc->gvc)
        return GST_FLOW_OK;
    gvc_encoder_send(enc->gvc, NULL); /* receiving reports failures */
    GstFlowReturn flow = output_packets(enc);
    gvc_flush(enc->gvc);
    return flow;
}

static gboolean gst_gvc_enc_flush(GstVideoEncoder *encoder) {
    gvc_context *gvc = GST_GVC_ENC(encoder)->gvc;
    return !gvc || gvc_flush(gvc) == GVC_OK;
}

static gboolean gst_gvc_enc_stop(GstVideoEncoder *encoder) {
    GstGvcEnc *enc = GST_GVC_ENC(encoder);
    gvc_close(&enc->gvc);
    g_clear_pointer(&enc->input, gst_video_codec_state_unref);
    return TRUE;
}

static gboolean gst_gvc_enc_set_format(GstVideoEncoder *encoder, GstVideoCodecState *state) {
    GstGvcEnc *enc = GST_GVC_ENC(encoder);
    gst_gvc_enc_finish(encoder); /* the pictures of the format before */
    gst_gvc_enc_stop(encoder);
    GstCaps *caps = choose_caps(enc);
    if (!caps) {
        GST_ELEMENT_ERROR(enc, STREAM, FORMAT,
                          ("the next element does not keep the FourCC GVC1; matroskamux and qtmux do"), (NULL));
        return FALSE;
    }
    enc->input = gst_video_codec_state_ref(state);
    int result = open_encoder(enc, &state->info);
    if (result == GVC_OK)
        result = describe_output(enc, caps, state);
    gst_caps_unref(caps);
    if (result != GVC_OK)
        return fail(enc, result) == GST_FLOW_OK;
    report_latency(enc, &state->info);
    return gst_video_encoder_negotiate(encoder);
}

static void set_property(GObject *object, guint id G_GNUC_UNUSED, const GValue *value, GParamSpec *spec) {
    GST_OBJECT_LOCK(object);
    gst_gvc_options_set(GST_GVC_ENC(object)->options, spec, value);
    GST_OBJECT_UNLOCK(object);
}

static void get_property(GObject *object, guint id G_GNUC_UNUSED, GValue *value, GParamSpec *spec) {
    GST_OBJECT_LOCK(object);
    gst_gvc_options_get(GST_GVC_ENC(object)->options, spec, value);
    GST_OBJECT_UNLOCK(object);
}

static void finalize(GObject *object) {
    gst_structure_free(GST_GVC_ENC(object)->options);
    G_OBJECT_CLASS(gst_gvc_enc_parent_class)->finalize(object);
}

static void gst_gvc_enc_class_init(GstGvcEncClass *klass) {
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstVideoEncoderClass *encoder_class = GST_VIDEO_ENCODER_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    gst_gvc_install_encoder_options(object_class);
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "GVC encoder", "Codec/Encoder/Video",
                                          "Encodes video with the generative codec GVC", "The GVC contributors");
    encoder_class->stop = gst_gvc_enc_stop;
    encoder_class->set_format = gst_gvc_enc_set_format;
    encoder_class->handle_frame = gst_gvc_enc_handle_frame;
    encoder_class->finish = gst_gvc_enc_finish;
    encoder_class->flush = gst_gvc_enc_flush;
}

static void gst_gvc_enc_init(GstGvcEnc *enc) {
    enc->options = gst_gvc_options_new();
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_ENCODER_SINK_PAD(enc));
}
