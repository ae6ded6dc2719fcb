/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that VLC's user has set. */
#include "vlcgvc.h"

#include <vlc_charset.h>
#include <vlc_memstream.h>

#include <gvc_options.h>

enum { LONGEST_DELAY = 128 }; ///< highest frame_delay that is a number of packets

/** Append `name=value:` to a text. */
static void append_string(struct vlc_memstream *text, const char *name, const char *value) {
    vlc_memstream_printf(text, "%s=", name);
    for (; *value; value++) {
        if (*value == ':' || *value == '\\')
            vlc_memstream_putc(text, '\\');
        vlc_memstream_putc(text, *value);
    }
    vlc_memstream_putc(text, ':');
}

static void append_double(struct vlc_memstream *text, const char *name, double value) {
    char *number;
    if (us_asprintf(&number, "%g", value) < 0) /* with a decimal point, whatever the locale */
        return;
    append_string(text, name, number);
    free(number);
}

/**
 * Return by how many packets pictures may be late unless the user says something else. VLC waits for the first picture
 * when it has read as many milliseconds as its options for caching say, so this takes half of that.
 */
static int frame_delay(decoder_t *decoder) {
    const video_format_t *video = &decoder->fmt_in.video;
    int64_t file = var_InheritInteger(decoder, "file-caching"),
            network = var_InheritInteger(decoder, "network-caching");
    int64_t frames =
        video->i_frame_rate_base ? __MIN(file, network) * video->i_frame_rate / video->i_frame_rate_base / 1000 : 0;
    return gvc_frame_delay(1, (int)__MIN(frames / 2, LONGEST_DELAY) + 1);
}

char *gvc_vlc_options_text(decoder_t *decoder) {
    struct vlc_memstream text;
    if (vlc_memstream_open(&text))
        return NULL;
    vlc_memstream_printf(&text, "frame_delay=%d:", frame_delay(decoder));
#define APPEND_INT(name, value, low, high, help)                                                                       \
    if (var_InheritInteger(decoder, GVC_VLC_OPTION(name)) != value)                                                    \
        vlc_memstream_printf(&text, #name "=%" PRId64 ":", var_InheritInteger(decoder, GVC_VLC_OPTION(name)));
#define APPEND_DOUBLE(name, value, low, high, help)                                                                    \
    append_double(&text, #name, var_InheritFloat(decoder, GVC_VLC_OPTION(name)));
#define APPEND_STRING(name, value, help)                                                                               \
    char *name = var_InheritString(decoder, GVC_VLC_OPTION(name));                                                     \
    if (name)                                                                                                          \
        append_string(&text, #name, name);                                                                             \
    free(name);
    GVC_DECODER_OPTIONS(APPEND_INT, APPEND_DOUBLE, APPEND_STRING)
    GVC_DECODER_STANDARD_OPTIONS(APPEND_INT, APPEND_DOUBLE, APPEND_STRING)
    return vlc_memstream_close(&text) ? NULL : text.ptr;
}
