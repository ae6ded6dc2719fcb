/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The element gvcdec. */
#include "gstgvc.h"

#include <string.h>

enum { LONGEST_GOP = 129 };

struct _GstGvcDec {
    GstVideoDecoder parent;
    GstStructure *options;
    gvc_context *gvc;          ///< NULL without caps
    GstVideoCodecState *input; ///< caps of the stream
    gvc_params format;         ///< what the output's caps were made of, width 0 = there are none yet
};

G_DEFINE_TYPE(GstGvcDec, gst_gvc_dec, GST_TYPE_VIDEO_DECODER)

/* The demuxers for Matroska, MOV and AVI do not know GVC and describe it each in its own way. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_GVC_CAPS_MATROSKA "; video/x-gst-fourcc-GVC1; "
                                          "video/x-avi-unknown, fourcc = (int) " GST_GVC_FOURCC));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ " GST_GVC_RAW_FORMATS " }")));

static int open_decoder(GstGvcDec *dec, GstBuffer *codec_data) {
    GstMapInfo map = GST_MAP_INFO_INIT;
    GST_OBJECT_LOCK(dec);
    char *options = gst_gvc_options_text(dec->options);
    GST_OBJECT_UNLOCK(dec);
    gvc_params params = {.struct_size = sizeof params, .options = options};
    if (codec_data && gst_buffer_map(codec_data, &map, GST_MAP_READ)) {
        params.extradata = map.data;
        params.extradata_size = map.size;
    }
    int result = gvc_decoder_open(&dec->gvc, &params);
    if (map.data)
        gst_buffer_unmap(codec_data, &map);
    g_free(options);
    return result;
}

static gboolean is_same_data(GstBuffer *a, GstBuffer *b) {
    GstMapInfo map;
    if (!a || !b)
        return a == b;
    if (!gst_buffer_map(b, &map, GST_MAP_READ))
        return FALSE;
    gboolean same = gst_buffer_get_size(a) == map.size && !gst_buffer_memcmp(a, 0, map.data, map.size);
    gst_buffer_unmap(b, &map);
    return same;
}

/** Take new caps. The decoder and its engine stay if the sequence header in the caps is the same. */
static gboolean gst_gvc_dec_set_format(GstVideoDecoder *decoder, GstVideoCodecState *state) {
    GstGvcDec *dec = GST_GVC_DEC(decoder);
    gboolean same = dec->gvc && is_same_data(dec->input->codec_data, state->codec_data);
    g_clear_pointer(&dec->input, gst_video_codec_state_unref);
    dec->input = gst_video_codec_state_ref(state);
    dec->format.width = 0;
    if (same)
        return TRUE;
    gvc_close(&dec->gvc);
    int result = open_decoder(dec, state->codec_data);
    if (result != GVC_OK)
        gst_gvc_post_error(GST_ELEMENT(dec), dec->gvc, result);
    return result == GVC_OK;
}

/** Tell the pipeline by how much pictures may be late; only live pipelines ask. */
static void report_latency(GstGvcDec *dec, const GstVideoInfo *info) {
    gint64 delay, low;
    g_object_get(dec, "frame-delay", &delay, "low-delay", &low, NULL);
    guint64 frames = low ? 0 : delay < 0 ? LONGEST_GOP : (guint64)delay;
    if (info->fps_n > 0) {
        GstClockTime latency = gst_util_uint64_scale(frames * GST_SECOND, (guint64)info->fps_d, (guint64)info->fps_n);
        gst_video_decoder_set_latency(GST_VIDEO_DECODER(dec), latency, latency);
    }
}

/** Negotiate caps for the next picture if its format is another one, as it may be from a keyframe on. */
static GstFlowReturn follow_format(GstGvcDec *dec) {
    GstVideoDecoder *decoder = GST_VIDEO_DECODER(dec);
    gvc_params format;
    memset(&format, 0, sizeof format);
    format.struct_size = sizeof format;
    if (gvc_decoder_format(dec->gvc, &format) != GVC_OK)
        return GST_FLOW_NOT_NEGOTIATED;
    if (!memcmp(&format, &dec->format, sizeof format))
        return GST_FLOW_OK;
    GstVideoCodecState *output = gst_video_decoder_set_output_state(
        decoder, gst_gvc_video_format(format.sample_format), (guint)format.width, (guint)format.height, dec->input);
    if (!output)
        return GST_FLOW_NOT_NEGOTIATED;
    gst_gvc_read_format(&output->info, &format);
    report_latency(dec, &output->info);
    gst_video_codec_state_unref(output);
    if (!gst_video_decoder_negotiate(decoder))
        return GST_PAD_IS_FLUSHING(GST_VIDEO_DECODER_SRC_PAD(decoder)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
    dec->format = format;
    return GST_FLOW_OK;
}

/**
 * Drop the frame of a packet that gives no picture.
 *
 * final: whether decoding cannot go on after an error of the engine. All errors but those of the engine and of the
 *     bitstream are final anyway.
 */
static GstFlowReturn lose_picture(GstGvcDec *dec, GstVideoCodecFrame *frame, int result, gboolean final) {
    GstFlowReturn flow = GST_FLOW_OK;
    if (frame)
        gst_video_decoder_drop_frame(GST_VIDEO_DECODER(dec), frame);
    if (result != GVC_ERROR_BITSTREAM && (final || result != GVC_ERROR_ENGINE)) {
        gst_gvc_post_error(GST_ELEMENT(dec), dec->gvc, result);
        return GST_FLOW_ERROR;
    }
    GST_VIDEO_DECODER_ERROR(dec, 1, STREAM, DECODE, ("%s", gvc_error_message(dec->gvc)), (NULL), flow);
    return flow;
}

/** Take the frame with a number. Frames before it have no picture: their packets came before the first keyframe. */
static GstVideoCodecFrame *take_frame(GstVideoDecoder *decoder, gint64 number) {
    GstVideoCodecFrame *frame;
    while ((frame = gst_video_decoder_get_oldest_frame(decoder)) && frame->system_frame_number != number)
        gst_video_decoder_release_frame(decoder, frame);
    return frame;
}

/** Copy the picture that libgvc has ready into a frame's new buffer. */
static int receive_picture(GstGvcDec *dec, GstVideoCodecFrame *frame) {
    GstVideoCodecState *output = gst_video_decoder_get_output_state(GST_VIDEO_DECODER(dec));
    GstVideoFrame mapped;
    gvc_picture picture = {0};
    int result = GVC_ERROR_MEMORY;
    if (gvc_decoder_conceals(dec->gvc))
        GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_CORRUPTED);
    if (gst_video_frame_map(&mapped, &output->info, frame->output_buffer, GST_MAP_WRITE)) {
        gst_gvc_use_planes(&picture, &mapped);
        result = gvc_decoder_receive(dec->gvc, &picture);
        gst_video_frame_unmap(&mapped);
    } else {
        gvc_decoder_drop(dec->gvc);
    }
    gst_video_codec_state_unref(output);
    return result;
}

/** Output the picture that libgvc has ready, or skip it if it comes too late for its time (quality of service). */
static GstFlowReturn output_picture(GstGvcDec *dec) {
    GstVideoDecoder *decoder = GST_VIDEO_DECODER(dec);
    gvc_picture picture = {0};
    gvc_decoder_describe(dec->gvc, &picture);
    GstVideoCodecFrame *frame = take_frame(decoder, picture.pts);
    GstFlowReturn flow = frame ? follow_format(dec) : GST_FLOW_OK;
    gboolean wanted = flow == GST_FLOW_OK && frame && gst_video_decoder_get_max_decode_time(decoder, frame) >= 0;
    if (wanted)
        flow = gst_video_decoder_allocate_output_frame(decoder, frame);
    if (!wanted || flow != GST_FLOW_OK) {
        gvc_decoder_drop(dec->gvc);
        if (frame && flow == GST_FLOW_OK)
            return gst_video_decoder_drop_frame(decoder, frame);
        if (frame)
            gst_video_decoder_release_frame(decoder, frame);
        return flow;
    }
    int result = receive_picture(dec, frame);
    return result == GVC_OK ? gst_video_decoder_finish_frame(decoder, frame) : lose_picture(dec, frame, result, FALSE);
}

static GstFlowReturn output_pictures(GstGvcDec *dec) {
    GstFlowReturn flow = GST_FLOW_OK;
    int result;
    while (flow == GST_FLOW_OK && (result = gvc_decoder_peek(dec->gvc)) != GVC_AGAIN && result != GVC_EOF) {
        if (result == GVC_OK)
            flow = output_picture(dec);
        else if (result == GVC_ERROR_BITSTREAM) /* the concealed picture of a damaged packet may follow */
            flow = lose_picture(dec, NULL, result, FALSE);
        else
            flow = lose_picture(dec, gst_video_decoder_get_oldest_frame(GST_VIDEO_DECODER(dec)), result, FALSE);
    }
    return flow;
}

/** Return the enum gvc_packet_flags of a frame's packet. Fast play by keyframes asks for their stills alone. */
static int packet_flags(const GstVideoDecoder *decoder, const GstVideoCodecFrame *frame) {
    gboolean alone = decoder->input_segment.flags & GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    return (GST_VIDEO_CODEC_FRAME_IS_SYNC_POINT(frame) ? GVC_PACKET_KEY : 0) | (alone ? GVC_PACKET_ALONE : 0);
}

static GstFlowReturn gst_gvc_dec_handle_frame(GstVideoDecoder *decoder, GstVideoCodecFrame *frame) {
    GstGvcDec *dec = GST_GVC_DEC(decoder);
    GstMapInfo map;
    if (!GST_CLOCK_TIME_IS_VALID(frame->pts))
        frame->pts = frame->dts; /* matroskademux gives only dts, which equals pts */
    if (!gst_buffer_map(frame->input_buffer, &map, GST_MAP_READ))
        return lose_picture(dec, frame, GVC_ERROR_MEMORY, TRUE);
    const gvc_packet packet = {
        .data = map.data,
        .size = map.size,
        .pts = frame->system_frame_number,
        .flags = packet_flags(decoder, frame),
    };
    int result = gvc_decoder_send(dec->gvc, &packet);
    gst_buffer_unmap(frame->input_buffer, &map);
    if (result != GVC_OK) /* a keyframe starts another engine, so its error means that there will be none */
        return lose_picture(dec, frame, result, GST_VIDEO_CODEC_FRAME_IS_SYNC_POINT(frame));
    gst_video_codec_frame_unref(frame); /* the base class keeps it until its picture comes */
    return output_pictures(dec);
}

static gboolean gst_gvc_dec_flush(GstVideoDecoder *decoder) {
    GstGvcDec *dec = GST_GVC_DEC(decoder);
    if (dec->gvc)
        gvc_flush(dec->gvc); /* after a failure the next packet reports it */
    return TRUE;
}

static GstFlowReturn gst_gvc_dec_drain(GstVideoDecoder *decoder) {
    GstGvcDec *dec = GST_GVC_DEC(decoder);
    if (!dec->gvc)
        return GST_FLOW_OK;
    gvc_decoder_send(dec->gvc, NULL);
    GstFlowReturn flow = output_pictures(dec);
    gst_gvc_dec_flush(decoder); /* decoding can go on with a keyframe */
    return flow;
}

static gboolean gst_gvc_dec_start(GstVideoDecoder *decoder) {
    gst_video_decoder_set_needs_sync_point(decoder, TRUE);
    GstTagList *tags = gst_tag_list_new(GST_TAG_VIDEO_CODEC, "GVC", NULL);
    gst_video_decoder_merge_tags(decoder, tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(tags);
    return TRUE;
}

static gboolean gst_gvc_dec_stop(GstVideoDecoder *decoder) {
    GstGvcDec *dec = GST_GVC_DEC(decoder);
    gvc_close(&dec->gvc);
    g_clear_pointer(&dec->input, gst_video_codec_state_unref);
    dec->format.width = 0;
    return TRUE;
}

static void set_property(GObject *object, guint id G_GNUC_UNUSED, const GValue *value, GParamSpec *spec) {
    GST_OBJECT_LOCK(object);
    gst_gvc_options_set(GST_GVC_DEC(object)->options, spec, value);
    GST_OBJECT_UNLOCK(object);
}

static void get_property(GObject *object, guint id G_GNUC_UNUSED, GValue *value, GParamSpec *spec) {
    GST_OBJECT_LOCK(object);
    gst_gvc_options_get(GST_GVC_DEC(object)->options, spec, value);
    GST_OBJECT_UNLOCK(object);
}

static void finalize(GObject *object) {
    gst_structure_free(GST_GVC_DEC(object)->options);
    G_OBJECT_CLASS(gst_gvc_dec_parent_class)->finalize(object);
}

static void gst_gvc_dec_class_init(GstGvcDecClass *klass) {
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstVideoDecoderClass *decoder_class = GST_VIDEO_DECODER_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    gst_gvc_install_decoder_options(object_class);
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "GVC decoder", "Codec/Decoder/Video",
                                          "Decodes video of the generative codec GVC", "The GVC contributors");
    decoder_class->start = gst_gvc_dec_start;
    decoder_class->stop = gst_gvc_dec_stop;
    decoder_class->set_format = gst_gvc_dec_set_format;
    decoder_class->handle_frame = gst_gvc_dec_handle_frame;
    decoder_class->flush = gst_gvc_dec_flush;
    decoder_class->drain = gst_gvc_dec_drain;
    decoder_class->finish = gst_gvc_dec_drain;
}

static void gst_gvc_dec_init(GstGvcDec *dec) {
    dec->options = gst_gvc_options_new();
    gst_video_decoder_set_packetized(GST_VIDEO_DECODER(dec), TRUE);
    gst_video_decoder_set_use_default_pad_acceptcaps(GST_VIDEO_DECODER(dec), TRUE);
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_DECODER_SINK_PAD(dec));
}
