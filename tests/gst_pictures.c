/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a GStreamer pipeline and prints what comes out.
 *
 *   gst_pictures PIPELINE [STEP...]
 *
 * PIPELINE has an appsink with the name "out", or is a playbin with one as its video-sink. STEPs in turn:
 *   pull=N      take N pictures
 *   rest        take all pictures up to the end
 *   seek=TIME   go to the picture that is shown then (milliseconds)
 *   back=TIME   play backwards from then on
 *   keys=TIME   play keyframes alone from then on
 *   late=TIME   say that pictures before that time come too late
 * For each picture it prints its time in milliseconds, flags, format, size, and the MD5 of its packed planes. If the
 * pipeline ends with an error, it prints "error:" with the message, and exits with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

/** Add the rows of a plane to a checksum, without what may lie between them. */
static void add_plane(GChecksum *md5, GstVideoFrame *frame, guint plane) {
    guint component = 0;
    while (GST_VIDEO_FRAME_COMP_PLANE(frame, component) != plane)
        component++;
    const guchar *row = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
    gssize width = GST_VIDEO_FRAME_COMP_WIDTH(frame, component) * GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, component); y++) {
        g_checksum_update(md5, row, width);
        row += GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
    }
}

static void print_picture(GstSample *sample) {
    GstVideoInfo info;
    GstVideoFrame frame;
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GChecksum *md5 = g_checksum_new(G_CHECKSUM_MD5);
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
        exit(2);
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); plane++)
        add_plane(md5, &frame, plane);
    gst_video_frame_unmap(&frame);
    printf("%" G_GUINT64_FORMAT " %s %s %dx%d %s\n", GST_BUFFER_PTS(buffer) / GST_MSECOND,
           GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED) ? "corrupted" : "whole",
           gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)), info.width, info.height,
           g_checksum_get_string(md5));
    g_checksum_free(md5);
}

/** Take pictures up to the end or an error. */
static void pull(GstAppSink *sink, long count) {
    GstSample *sample;
    while (count-- > 0 && (sample = gst_app_sink_pull_sample(sink))) {
        print_picture(sample);
        gst_sample_unref(sample);
    }
}

static void wait_for_picture(GstElement *pipeline) {
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
}

static void seek(GstElement *pipeline, double rate, GstSeekFlags flags, GstClockTime time) {
    flags |= GST_SEEK_FLAG_FLUSH;
    wait_for_picture(pipeline);
    if (!(rate > 0 ? gst_element_seek(pipeline, rate, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, (gint64)time,
                                      GST_SEEK_TYPE_NONE, 0)
                   : gst_element_seek(pipeline, rate, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET,
                                      (gint64)time)))
        exit(2);
}

static void run(GstElement *pipeline, GstElement *sink, const char *step) {
    const char *value = strchr(step, '=');
    GstClockTime time = value ? g_ascii_strtoull(value + 1, NULL, 10) * GST_MSECOND : 0;
    if (g_str_has_prefix(step, "seek=")) {
        seek(pipeline, 1, GST_SEEK_FLAG_ACCURATE, time);
    } else if (g_str_has_prefix(step, "back=")) {
        seek(pipeline, -1, GST_SEEK_FLAG_ACCURATE, time);
    } else if (g_str_has_prefix(step, "keys=")) {
        seek(pipeline, 1, GST_SEEK_FLAG_TRICKMODE | GST_SEEK_FLAG_TRICKMODE_KEY_UNITS, time);
    } else if (g_str_has_prefix(step, "late=")) {
        wait_for_picture(pipeline);
        gst_element_send_event(sink, gst_event_new_qos(GST_QOS_TYPE_OVERFLOW, 1, 0, time));
    } else {
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        pull(GST_APP_SINK(sink), g_str_has_prefix(step, "pull=") ? atol(value + 1) : G_MAXLONG);
    }
}

int main(int argc, char **argv) {
    gst_init(&argc, &argv);
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(argv[1], &error), *sink = NULL;
    if (!pipeline || error) {
        printf("error: %s\n", error ? error->message : "no pipeline");
        return 1;
    }
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(pipeline), "video-sink"))
        g_object_get(pipeline, "video-sink", &sink, NULL);
    else
        sink = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    for (int i = 2; i < argc; i++)
        run(pipeline, sink, argv[i]);
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    if (message) {
        gst_message_parse_error(message, &error, NULL);
        printf("error: %s\n", error->message);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    return message != NULL;
}
