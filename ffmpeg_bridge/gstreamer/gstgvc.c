/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers the elements with GStreamer, and reports errors for both. */
#include "gstgvc.h"

GST_DEBUG_CATEGORY(gst_gvc_debug);

static void error_code(int result, GQuark *domain, gint *code) {
    static const struct {
        enum gvc_result result;
        gboolean stream;
        gint code;
    } codes[] = {
        {GVC_ERROR_BITSTREAM, TRUE, GST_STREAM_ERROR_DECODE},
        {GVC_ERROR_MEDIA, TRUE, GST_STREAM_ERROR_FORMAT},
        {GVC_ERROR_PRIOR, TRUE, GST_STREAM_ERROR_CODEC_NOT_FOUND},
        {GVC_ERROR_OPTION, FALSE, GST_LIBRARY_ERROR_SETTINGS},
        {GVC_ERROR_RATE, FALSE, GST_LIBRARY_ERROR_SETTINGS},
        {GVC_ERROR_ENGINE, FALSE, GST_LIBRARY_ERROR_INIT},
    };
    *domain = GST_LIBRARY_ERROR;
    *code = GST_LIBRARY_ERROR_FAILED;
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (codes[i].result == result) {
            *domain = codes[i].stream ? GST_STREAM_ERROR : GST_LIBRARY_ERROR;
            *code = codes[i].code;
        }
    }
}

void gst_gvc_post_error(GstElement *element, const gvc_context *gvc, int result) {
    GQuark domain;
    gint code;
    error_code(result, &domain, &code);
    const char *message = result == GVC_ERROR_MEMORY ? "out of memory" : gvc_error_message(gvc);
    gst_element_message_full(element, GST_MESSAGE_ERROR, domain, code, g_strdup(message), NULL, __FILE__, GST_FUNCTION,
                             __LINE__);
}

static gboolean register_elements(GstPlugin *plugin) {
    GST_DEBUG_CATEGORY_INIT(gst_gvc_debug, "gvc", 0, "GVC generative video codec");
    /* The encoder's caps for matroskamux look like another codec's, so it must not be chosen for that one. */
    return gst_element_register(plugin, "gvcdec", GST_RANK_PRIMARY, gst_gvc_dec_get_type()) &&
           gst_element_register(plugin, "gvcenc", GST_RANK_NONE, gst_gvc_enc_get_type());
}

/* GStreamer refuses plugins of a release newer than itself. The sources use nothing that 1.20 lacks. */
#undef GST_VERSION_MINOR
#define GST_VERSION_MINOR 20
#define PACKAGE "gvc"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, gvc, "GVC generative video codec", register_elements,
                  GVC_VERSION, "BSD", "GVC", "gvc")
