/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Pixel formats, which are looked up by name in each host's libavutil because their numbers differ. */
#include "codec.h"

static const struct {
    const char *name; ///< FFmpeg's name; the plugin runs only on little-endian machines
    int sample_format;
} formats[] = {
    // Decoders output the first pixel format of each sample format.
    {"yuv420p", GVC_SAMPLES_YUV420P},
    {"yuv444p", GVC_SAMPLES_YUV444P},
    {"yuv420p10le", GVC_SAMPLES_YUV420P10},
    {"yuv444p10le", GVC_SAMPLES_YUV444P10},
    {"gbrp", GVC_SAMPLES_GBRP},
    {"gbrp10le", GVC_SAMPLES_GBRP10},
    {"rgb24", GVC_SAMPLES_RGB24},
    // Full-range formats of releases that do not negotiate the range separately.
    {"yuvj420p", GVC_SAMPLES_YUV420P},
    {"yuvj444p", GVC_SAMPLES_YUV444P},
};
enum { COUNT = sizeof(formats) / sizeof(formats[0]), COUNT_WITH_RANGES = COUNT - 2 };
_Static_assert(COUNT < MAX_PIXEL_FORMATS, "pixel_formats has too little room");

/** Return whether the release marks full range by the pixel format, as FFmpeg 7.0 and older do. */
static bool range_is_in_format(const struct host *host) {
    return host->layout->codec_color_ranges_shift < 0;
}

void find_pixel_formats(struct host *host) {
    int count = range_is_in_format(host) ? COUNT : COUNT_WITH_RANGES;
    for (int i = 0; i < count; i++)
        host->pixel_formats[i] = host->call.av_get_pix_fmt(formats[i].name);
    host->pixel_formats[count] = -1;
}

int sample_format_of(const struct host *host, int pixel_format) {
    for (int i = 0; host->pixel_formats[i] >= 0; i++)
        if (host->pixel_formats[i] == pixel_format)
            return formats[i].sample_format;
    return 0;
}

int pixel_format_of(const struct host *host, int sample_format) {
    for (int i = 0; i < COUNT_WITH_RANGES; i++)
        if (formats[i].sample_format == sample_format)
            return host->pixel_formats[i];
    return -1;
}

bool is_full_range(const struct host *host, int pixel_format) {
    for (int i = COUNT_WITH_RANGES; range_is_in_format(host) && i < COUNT; i++)
        if (host->pixel_formats[i] == pixel_format)
            return true;
    return false;
}
