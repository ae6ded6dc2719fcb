/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** The codec as FFmpeg sees it: callbacks, private data and options. */
#ifndef GVC_CODEC_H
#define GVC_CODEC_H

#include <gvc.h>
#include <gvc_options.h>

#include "host.h"

/** Values that the larger table needs, and one for gvc-params. */
#define ONE_MORE(...) +1
enum { MAX_OPTIONS = 1 GVC_ENCODER_OPTIONS(ONE_MORE, ONE_MORE, ONE_MORE) };

union option_value {
    int64_t integer;
    double number;
    char *text;
};

/** Private data of an AVCodecContext; FFmpeg writes class and options. */
struct codec_state {
    const void *option_class; ///< must be first
    union option_value options[MAX_OPTIONS];
    gvc_context *gvc;
    struct frame_queue {
        struct coming_frame *first, *last;
    } coming;        ///< frames of the packets that were sent
    bool draining;   ///< the end was sent
    char told[1024]; ///< the last error, which is not logged again before a picture has come
};

/** One option, in the order of codec_state.options. */
struct option_row {
    const char *name, *help;
    enum { OPTION_INT, OPTION_DOUBLE, OPTION_STRING } kind;
    double number;    ///< default of OPTION_INT and OPTION_DOUBLE
    const char *text; ///< default of OPTION_STRING
    double low, high;
};

enum role { ENCODER, DECODER };

/** AVClass with AVOptions in the layout of `host`, never freed; NULL if out of memory. */
const void *make_option_class(const struct host *host, enum role role);
/**
 * `standard`, then "key=value:key=value" of all options that differ from their defaults, then gvc-params: what comes
 * later counts. To be freed; NULL if out of memory.
 */
char *options_text(const struct codec_state *state, enum role role, const char *standard);

int encoder_init(AVCodecContext *avctx);
int encoder_encode(AVCodecContext *avctx, AVPacket *packet, const AVFrame *frame, int *got_packet);
int decoder_init(AVCodecContext *avctx);
int decoder_decode(AVCodecContext *avctx, AVFrame *frame, int *got_frame, AVPacket *packet);
void decoder_flush(AVCodecContext *avctx);
int codec_close(AVCodecContext *avctx);

/** Look up host->pixel_formats. */
void find_pixel_formats(struct host *host);
/** The enum gvc_sample_format of a pixel format of the host, 0 if there is none. */
int sample_format_of(const struct host *host, int pixel_format);
/** The pixel format of the host that decoders give for an enum gvc_sample_format. */
int pixel_format_of(const struct host *host, int sample_format);
/** Whether the range is part of the pixel format. */
bool is_full_range(const struct host *host, int pixel_format);

/** Add what the container says of all pictures. Returns 0 or an AVERROR. */
int add_track_side_data(const struct host *host, const AVCodecContext *avctx, AVFrame *frame);
/** Add what the container says beside the data of a packet. Returns 0 or an AVERROR. */
int add_packet_side_data(const struct host *host, const AVPacket *packet, AVFrame *frame);

/** Note that a packet was sent, with what it says beside its data. Returns 0 or an AVERROR. */
int expect_frame(const struct host *host, AVCodecContext *avctx, const AVPacket *packet, const gvc_packet *coded);
/** Make the frame of a picture: all but its samples. Returns 0 or an AVERROR. */
int take_frame(const struct host *host, AVCodecContext *avctx, const gvc_picture *picture, AVFrame *frame);
/** Expect no frames any more. */
void forget_frames(const struct host *host, AVCodecContext *avctx);

/** Let the program give the memory of a frame of the context's size and format. Returns 0 or an AVERROR. */
int get_buffer(const struct host *host, AVCodecContext *avctx, AVFrame *frame);

/** Log the error of state->gvc and return the AVERROR that stands for `result`. */
int codec_error(const struct host *host, AVCodecContext *avctx, int result);
/** Private data of `avctx`. */
struct codec_state *codec_state(const struct host *host, AVCodecContext *avctx);

#endif
