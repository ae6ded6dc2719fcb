/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as properties. Those that were set are fields of a GstStructure, with the names of their properties. */
#include "gstgvc.h"

#include <gvc_options.h>

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_NICK | G_PARAM_STATIC_BLURB | GST_PARAM_MUTABLE_READY)
#define INSTALL(spec) g_object_class_install_property(object_class, ++id, spec);
#define INSTALL_INT(name, value, low, high, help)                                                                      \
    INSTALL(g_param_spec_int64(#name, #name, help, low, high, value, FLAGS))
#define INSTALL_DOUBLE(name, value, low, high, help)                                                                   \
    INSTALL(g_param_spec_double(#name, #name, help, low, high, value, FLAGS))
#define INSTALL_STRING(name, value, help) INSTALL(g_param_spec_string(#name, #name, help, value, FLAGS))

void gst_gvc_install_decoder_options(GObjectClass *object_class) {
    guint id = 0;
    GVC_DECODER_OPTIONS(INSTALL_INT, INSTALL_DOUBLE, INSTALL_STRING)
    GVC_DECODER_STANDARD_OPTIONS(INSTALL_INT, INSTALL_DOUBLE, INSTALL_STRING)
}

void gst_gvc_install_encoder_options(GObjectClass *object_class) {
    guint id = 0;
    GVC_ENCODER_OPTIONS(INSTALL_INT, INSTALL_DOUBLE, INSTALL_STRING)
    GVC_ENCODER_STANDARD_OPTIONS(INSTALL_INT, INSTALL_DOUBLE, INSTALL_STRING)
}

GstStructure *gst_gvc_options_new(void) {
    return gst_structure_new_empty("options");
}

void gst_gvc_options_set(GstStructure *options, const GParamSpec *spec, const GValue *value) {
    gst_structure_set_value(options, spec->name, value);
}

void gst_gvc_options_get(const GstStructure *options, GParamSpec *spec, GValue *value) {
    const GValue *given = gst_structure_get_value(options, spec->name);
    if (given)
        g_value_copy(given, value);
    else
        g_param_value_set_default(spec, value);
}

/** Append `name=value:` to a text. */
static gboolean append_option(GQuark field, const GValue *value, gpointer text) {
    char *name = g_strdelimit(g_strdup(g_quark_to_string(field)), "-", '_');
    g_string_append_printf(text, "%s=", name);
    g_free(name);
    if (G_VALUE_HOLDS_INT64(value)) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT, g_value_get_int64(value));
    } else if (G_VALUE_HOLDS_DOUBLE(value)) { /* with a decimal point, whatever locale the program has set */
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append(text, g_ascii_dtostr(number, sizeof number, g_value_get_double(value)));
    } else {
        for (const char *c = g_value_get_string(value); c && *c; c++) {
            if (*c == ':' || *c == '\\')
                g_string_append_c(text, '\\');
            g_string_append_c(text, *c);
        }
    }
    g_string_append_c(text, ':');
    return TRUE;
}

char *gst_gvc_options_text(const GstStructure *options) {
    GString *text = g_string_new(NULL);
    gst_structure_foreach(options, append_option, text);
    return g_string_free(text, FALSE);
}
