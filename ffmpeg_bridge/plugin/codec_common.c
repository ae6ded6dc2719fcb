/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Functions that the encoder's and the decoder's callbacks share. */
#include "codec.h"

#include <stdio.h>
#include <string.h>

int codec_error(const struct host *host, AVCodecContext *avctx, int result) {
    struct codec_state *state = codec_state(host, avctx);
    const char *message = state->gvc ? gvc_error_message(state->gvc) : "out of memory";
    if (strcmp(message, state->logged))
        host->call.av_log(avctx, AV_LOG_ERROR, "%s\n", message);
    snprintf(state->logged, sizeof(state->logged), "%s", message);
    switch (result) {
    case GVC_ERROR_BITSTREAM:
        return AVERROR_INVALIDDATA;
    case GVC_ERROR_OPTION:
    case GVC_ERROR_RATE:
    case GVC_ERROR_MEDIA:
        return AVERROR(EINVAL);
    case GVC_ERROR_MEMORY:
        return AVERROR(ENOMEM);
    default:
        return AVERROR_EXTERNAL;
    }
}

int codec_close(AVCodecContext *avctx) {
    const struct host *host = host_of(avctx);
    if (!host)
        return 0;
    gvc_close(&codec_state(host, avctx)->gvc);
    forget_frames(host, avctx);
    return 0;
}
