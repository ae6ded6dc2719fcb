/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** The codec's interface to FFmpeg: callbacks, private data and options. */
#ifndef GVC_CODEC_H
#define GVC_CODEC_H

#include <gvc.h>
#include <gvc_options.h>

#include "host.h"

/** MAX_OPTIONS is the number of the encoder's options, which are more than the decoder's, and one for gvc-params. */
#define ONE_MORE(...) +1
enum { MAX_OPTIONS = 1 GVC_ENCODER_OPTIONS(ONE_MORE, ONE_MORE, ONE_MORE) };

union option_value {
    int64_t integer;
    double number;
    char *text;
};

/** Private data of an AVCodecContext. FFmpeg writes option_class and options. */
struct codec_state {
    const void *option_class; ///< AVClass of the options; FFmpeg requires it to be first
    union option_value options[MAX_OPTIONS];
    gvc_context *gvc;
    struct frame_queue {
        struct coming_frame *first, *last;
    } coming;          ///< frames whose packets were sent and whose pictures have not come yet
    bool draining;     ///< the end of the stream was sent
    char logged[1024]; ///< last error that was logged since the last picture
};

/** Return the private data of a context. */
static inline struct codec_state *codec_state(const struct host *host, AVCodecContext *avctx) {
    return FIELD(struct codec_state *, avctx, host->layout->avctx_priv_data);
}

/** A row of the options table. Rows have the order of codec_state.options. */
struct option_row {
    const char *name, *help;
    enum { OPTION_INT, OPTION_DOUBLE, OPTION_STRING } kind;
    double number;    ///< default of OPTION_INT and OPTION_DOUBLE
    const char *text; ///< default of OPTION_STRING
    double low, high;
};

enum role { ENCODER, DECODER };

/** Return an AVClass with AVOptions in the layout of `host`, which is never freed; NULL if memory is short. */
const void *make_option_class(const struct host *host, enum role role);
/**
 * Return the options as "key=value:key=value": `standard`, then all options that differ from their defaults, then
 * gvc-params. A later value of an option overrides an earlier one. To be freed; NULL if memory is short.
 */
char *options_text(const struct codec_state *state, enum role role, const char *standard);

int encoder_init(AVCodecContext *avctx);
int encoder_encode(AVCodecContext *avctx, AVPacket *packet, const AVFrame *frame, int *got_packet);
int decoder_init(AVCodecContext *avctx);
int decoder_decode(AVCodecContext *avctx, AVFrame *frame, int *got_frame, AVPacket *packet);
void decoder_flush(AVCodecContext *avctx);
int codec_close(AVCodecContext *avctx);

/** Set host->pixel_formats to the formats that the encoder takes. */
void find_pixel_formats(struct host *host);
/** Return the enum gvc_sample_format of a pixel format of the host, 0 if there is none. */
int sample_format_of(const struct host *host, int pixel_format);
/** Return the host's pixel format that decoders output for an enum gvc_sample_format, -1 if there is none. */
int pixel_format_of(const struct host *host, int sample_format);
/** Return whether a pixel format by itself means full range. */
bool is_full_range(const struct host *host, int pixel_format);

/** Add the side data of the whole track to a frame. Returns 0 or an AVERROR. */
int add_track_side_data(const struct host *host, const AVCodecContext *avctx, AVFrame *frame);
/** Add the side data of a packet to its frame. Returns 0 or an AVERROR. */
int add_packet_side_data(const struct host *host, const AVPacket *packet, AVFrame *frame);

/** Note that a packet was sent, and keep its properties for its frame. Returns 0 or an AVERROR. */
int expect_frame(const struct host *host, AVCodecContext *avctx, const AVPacket *packet, const gvc_packet *coded);
/** Make the frame of a picture, without its samples. Returns 0 or an AVERROR. */
int take_frame(const struct host *host, AVCodecContext *avctx, const gvc_picture *picture, AVFrame *frame);
/** Discard the frames that have not come yet. */
void forget_frames(const struct host *host, AVCodecContext *avctx);

/** Have the program allocate a frame of the context's size and format. Returns 0 or an AVERROR. */
int get_buffer(const struct host *host, AVCodecContext *avctx, AVFrame *frame);

/** Log the error of state->gvc, unless it was just logged, and return the AVERROR for `result`. */
int codec_error(const struct host *host, AVCodecContext *avctx, int result);

#endif
