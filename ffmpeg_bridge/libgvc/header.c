/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the fixed part of the sequence header (docs/BITSTREAM.md). The engine reads the rest. */
#include "context.h"

#include <string.h>

enum { FIXED_SIZE = 30, CRC_SIZE = 4, VERSION = 1 };

static uint32_t read_u16(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t read_u32(const uint8_t *bytes) {
    return read_u16(bytes) | read_u16(bytes + 2) << 16;
}

/** Set a ratio from the header; a zero or a number that is too large makes it 0/1 (unknown). */
static void set_ratio(int32_t *num, int32_t *den, uint32_t header_num, uint32_t header_den) {
    bool valid = header_num && header_den && header_num <= INT32_MAX && header_den <= INT32_MAX;
    *num = valid ? (int32_t)header_num : 0;
    *den = valid ? (int32_t)header_den : 1;
}

int gvc_header_read(gvc_context *context) {
    const uint8_t *header = context->extradata;
    size_t size = context->extradata_size;
    if (size < FIXED_SIZE + CRC_SIZE || memcmp(header, "GVC1", 4))
        return gvc_fail(context, GVC_ERROR_BITSTREAM, "the extradata (%zu bytes) is not a GVC sequence header", size);
    if (header[4] != VERSION)
        return gvc_fail(context, GVC_ERROR_BITSTREAM,
                        "the sequence header has version %d and this libgvc knows version %d; update GVC", header[4],
                        VERSION);
    if (header[5] < GVC_SAMPLES_YUV420P || header[5] > GVC_SAMPLES_GBRP10)
        return gvc_fail(context, GVC_ERROR_MEDIA, "sample format %d of the sequence header is unknown; update GVC",
                        header[5]);
    uint32_t header_size = read_u16(header + 6), width = read_u16(header + 8), height = read_u16(header + 10);
    if (header_size < FIXED_SIZE + CRC_SIZE || header_size > size)
        return gvc_fail(context, GVC_ERROR_BITSTREAM,
                        "the sequence header gives its size as %u bytes, but there are %zu", header_size, size);
    if (width < 1 || width > GVC_MAX_DIMENSION || height < 1 || height > GVC_MAX_DIMENSION)
        return gvc_fail(context, GVC_ERROR_BITSTREAM,
                        "the sequence header has the size %ux%u; width and height must be 1 to %d", width, height,
                        GVC_MAX_DIMENSION);
    context->extradata_size = header_size;
    gvc_format *format = &context->format;
    format->sample_format = header[5];
    format->width = (int32_t)width;
    format->height = (int32_t)height;
    format->color_range = header[12];
    format->color_primaries = header[13];
    format->color_trc = header[14];
    format->colorspace = header[15];
    format->chroma_location = header[16];
    set_ratio(&format->sar_num, &format->sar_den, read_u16(header + 18), read_u16(header + 20));
    set_ratio(&format->frame_rate_num, &format->frame_rate_den, read_u32(header + 22), read_u32(header + 26));
    return GVC_OK;
}
