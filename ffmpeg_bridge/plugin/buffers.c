/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Allocating the memory of decoded frames. It comes from the program's AVCodecContext.get_buffer2, as AV_CODEC_CAP_DR1
 * promises. libavcodec's own ff_get_buffer does the same but is hidden from a plugin.
 */
#include "codec.h"

enum { STRIDE_ALIGN = 64 }; ///< libavcodec's largest alignment of rows, in bytes

static int check_size(const struct host *host, AVCodecContext *avctx) {
    const struct layout *l = host->layout;
    unsigned width = (unsigned)FIELD(int, avctx, l->avctx_width), height = (unsigned)FIELD(int, avctx, l->avctx_height);
    width = (width + STRIDE_ALIGN - 1) & ~(unsigned)(STRIDE_ALIGN - 1);
    return host->call.av_image_check_size2(width, height, FIELD(int64_t, avctx, l->avctx_max_pixels), -1, 0, avctx);
}

/** Attach the private data that libavcodec asserts in each decoded frame. */
static int mark_frame(const struct host *host, AVFrame *frame) {
    const struct layout *l = host->layout;
    size_t size = (size_t)l->decode_data_size;
    void *mark = l->decode_data_is_refstruct ? host->call.av_refstruct_alloc_ext_c(size, 0, NULL, NULL)
                                             : host->call.av_buffer_allocz(size);
    FIELD(void *, frame, l->frame_private_ref) = mark;
    return mark ? 0 : AVERROR(ENOMEM);
}

/** Return whether get_buffer2 has set all planes and a buffer; libavcodec aborts the program otherwise. */
static bool is_complete(const struct host *host, AVFrame *frame) {
    const struct layout *l = host->layout;
    int planes = host->call.av_pix_fmt_count_planes(FIELD(int, frame, l->frame_format));
    for (int i = 0; i < planes; i++)
        if (!(&FIELD(uint8_t *, frame, l->frame_data))[i])
            return false;
    return planes > 0 && FIELD(void *, frame, l->frame_buf);
}

int get_buffer(const struct host *host, AVCodecContext *avctx, AVFrame *frame) {
    const struct layout *l = host->layout;
    int error = check_size(host, avctx);
    if (error < 0)
        return error;
    int width = FIELD(int, frame, l->frame_width) = FIELD(int, avctx, l->avctx_width);
    int height = FIELD(int, frame, l->frame_height) = FIELD(int, avctx, l->avctx_height);
    int format = FIELD(int, frame, l->frame_format) = FIELD(int, avctx, l->avctx_pix_fmt);
    FIELD(int, avctx, l->avctx_sw_pix_fmt) = format;
    error = FIELD(get_buffer2_function *, avctx, l->avctx_get_buffer2)(avctx, frame, 0);
    if (error >= 0 && (FIELD(int, frame, l->frame_format) != format || !is_complete(host, frame)))
        error = AVERROR(EINVAL);
    if (error < 0) {
        host->call.av_log(avctx, AV_LOG_ERROR, "get_buffer() failed\n");
        return error;
    }
    FIELD(int, frame, l->frame_width) = width; // get_buffer2 may have written the allocated size here
    FIELD(int, frame, l->frame_height) = height;
    return mark_frame(host, frame);
}
