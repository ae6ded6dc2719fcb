/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * libgvc: encode and decode GVC video from C.
 *
 * The codec itself runs in another process, the engine, which is written in Python. The library starts the engine and
 * talks to it over a private socket, so it loads neither Python nor model code into the calling program. If the user
 * runs a warm engine (`gvc serve`), the library uses that one, unless the environment has GVC_SERVE=0. An engine that
 * the library starts inherits the caller's environment except for LD_PRELOAD, LD_AUDIT and all variables whose names
 * begin with PYTHON.
 *
 * Different threads may use different contexts; only one thread at a time may use a context. The engine of a context
 * belongs to the process that opened it. A forked child may close a context that it inherited, which does not disturb
 * the parent's engine. In the child an inherited encoder is of no more use; an inherited decoder can go on with an
 * engine of its own, from gvc_flush and the next keyframe on.
 *
 * The library waits for a slow engine as long as it takes. A stopped engine (SIGSTOP) counts as failed after a caller
 * has waited six seconds for it; an engine that a debugger holds does not.
 *
 * Encoding:
 *     1. Call gvc_encoder_open.
 *     2. For each picture call gvc_encoder_send, then gvc_encoder_receive until it returns GVC_AGAIN.
 *     3. At the end call gvc_encoder_send with NULL, then gvc_encoder_receive until it returns GVC_EOF.
 *     4. Call gvc_close.
 * Decoding:
 *     1. Call gvc_decoder_open.
 *     2. For each packet call gvc_decoder_send, then gvc_decoder_receive until it returns GVC_AGAIN.
 *     3. After a seek call gvc_flush and continue with step 2.
 *     4. At the end call gvc_decoder_send with NULL, then gvc_decoder_receive until it returns GVC_EOF.
 *     5. Call gvc_close.
 */
#ifndef GVC_H
#define GVC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#define GVC_API_VERSION 1

/** Results of calls. After an error (GVC_ERROR and below) gvc_error_message describes it in a sentence. */
enum gvc_result {
    GVC_OK = 0,
    GVC_AGAIN = -1,            ///< no output yet; more input is needed
    GVC_EOF = -2,              ///< all output has been received
    GVC_ERROR = -10,           ///< failure without a code of its own
    GVC_ERROR_BITSTREAM = -11, ///< invalid GVC stream
    GVC_ERROR_OPTION = -12,    ///< unknown option or value out of range
    GVC_ERROR_PRIOR = -13,     ///< generative model of the stream or of the option not available
    GVC_ERROR_RATE = -14,      ///< bitrate too low for this video
    GVC_ERROR_MEDIA = -15,     ///< picture size or sample format not supported
    GVC_ERROR_ENGINE = -16,    ///< engine not found, ended, or of another version
    GVC_ERROR_MEMORY = -17     ///< out of memory
};

enum gvc_packet_flags {
    GVC_PACKET_KEY = 1,     ///< keyframe: decoding can start here
    GVC_PACKET_DISCARD = 2, ///< decoder: the packet is decoded but gives no picture, as before an edit list begins
    GVC_PACKET_ALONE = 4    ///< decoder: of all pictures before the next keyframe only this keyframe's is wanted
};

#define GVC_NOPTS INT64_MIN ///< unknown timestamp

/** Layout of samples, named as FFmpeg's pixel formats. Samples of 10 bits are 16-bit words in native byte order. */
enum gvc_sample_format {
    GVC_SAMPLES_YUV420P = 1,
    GVC_SAMPLES_YUV444P = 2,
    GVC_SAMPLES_GBRP = 3,
    GVC_SAMPLES_YUV420P10 = 4,
    GVC_SAMPLES_YUV444P10 = 5,
    GVC_SAMPLES_GBRP10 = 6,
    GVC_SAMPLES_RGB24 = 64 ///< one plane, for encoders only; the stream is then GVC_SAMPLES_GBRP
};

/**
 * Format of a video and options of its codec. The colour fields have the values of FFmpeg's AVColorRange,
 * AVColorPrimaries, AVColorTransferCharacteristic, AVColorSpace and AVChromaLocation. In an encoder a colour field of 0
 * means unspecified, so a program may leave every field zero that it does not need.
 */
typedef struct gvc_params {
    size_t struct_size;                 ///< sizeof(gvc_params); lets the struct grow in later versions
    int width, height;                  ///< luma samples, 1..16384; decoder: 0 is allowed if extradata is given
    int time_base_num, time_base_den;   ///< seconds for each tick of pts and duration, default 1/25
    int frame_rate_num, frame_rate_den; ///< nominal frames a second, 0/1 = unknown
    int sar_num, sar_den;               ///< sample aspect ratio, 0/1 = unknown
    int color_range, color_primaries, color_trc, colorspace, chroma_location;
    const char *options;      ///< "key=value:key=value" with the options of docs/OPTIONS.md, NULL = defaults
    const uint8_t *extradata; ///< decoder: sequence header, with or without padding; NULL = in the first keyframe
    size_t extradata_size;    ///< bytes
    int sample_format;        ///< enum gvc_sample_format; encoder: 0 = GVC_SAMPLES_YUV420P
} gvc_params;

/** A picture in the caller's memory: three planes Y, Cb, Cr or G, B, R, or one plane of RGB24. */
typedef struct gvc_picture {
    uint8_t *data[3];
    ptrdiff_t stride[3]; ///< bytes from one row to the next, may be negative
    int64_t pts;         ///< ticks of time_base, may be GVC_NOPTS
    int64_t duration;    ///< ticks of time_base; encoder: 0 = one frame at the nominal frame rate
    int key;             ///< 1 if a self-contained GOP starts here (encoder: is to start here), else 0
} gvc_picture;

/** A coded frame. */
typedef struct gvc_packet {
    const uint8_t *data;
    size_t size;           ///< bytes
    int64_t pts, duration; ///< ticks of time_base; dts equals pts
    int flags;             ///< enum gvc_packet_flags
} gvc_packet;

typedef struct gvc_context gvc_context;

/** Return the version of the library as text, for logs. */
const char *gvc_version(void);
/** Return the GVC_API_VERSION that the library was built with. */
int gvc_api_version(void);

/**
 * Open an encoder and start its engine. Returns GVC_OK or an error. After an error *context is NULL or holds the
 * message for gvc_error_message; call gvc_close in either case.
 */
int gvc_encoder_open(gvc_context **context, const gvc_params *params);
/** Get the sequence header. *data belongs to the context and stays valid until gvc_close. Returns GVC_OK or an error.
 */
int gvc_encoder_extradata(gvc_context *context, const uint8_t **data, size_t *size);
/**
 * Send a picture, or NULL for the end of the video. The picture is copied before the call returns, which waits while
 * the engine's queue is full. Returns GVC_OK, an error, or GVC_EOF for a picture after the end. After an error the
 * encoder takes no more pictures; packets that were made before can still be received.
 */
int gvc_encoder_send(gvc_context *context, const gvc_picture *picture);
/**
 * Receive a packet. Returns GVC_OK, GVC_AGAIN, GVC_EOF or an error. Waits only after the end was sent. packet->data
 * stays valid until the next call of this function.
 */
int gvc_encoder_receive(gvc_context *context, gvc_packet *packet);

/**
 * Open a decoder and read its extradata. The engine starts only with the first packet, so that probing a file stays
 * cheap. Returns GVC_OK or an error; call gvc_close in either case.
 */
int gvc_decoder_open(gvc_context **context, const gvc_params *params);
/**
 * Get size, sample format, rates and colour from the sequence header. Set params->struct_size before; the call does not
 * change the pointers of params. Returns GVC_OK, GVC_AGAIN while no sequence header is known, or an error.
 */
int gvc_decoder_format(gvc_context *context, gvc_params *params);
/**
 * Send a packet, or NULL for the end of the video. The packet is copied before the call returns. Returns GVC_OK, an
 * error, or GVC_EOF for a packet after the end. The first packet starts the engine, so this call also returns the
 * errors of opening a decoder, such as an invalid option or a missing prior.
 */
int gvc_decoder_send(gvc_context *context, const gvc_packet *packet);
/**
 * Receive a picture into the caller's planes. Returns GVC_OK, GVC_AGAIN, GVC_EOF or an error.
 *
 * Planes: they must have the size that gvc_decoder_format gives after gvc_decoder_peek. Size and sample format can
 * change at a keyframe.
 *
 * Delay: the engine decodes GOPs while the caller sends more packets and receives the pictures of the GOP before, one
 * for each packet. Pictures therefore come one or several GOPs later than their packets, up to one GOP for each thread
 * (option threads), and GVC_AGAIN always means that more packets are needed. With the option low_delay=1 a picture
 * comes with its own packet, with frame_delay=N at most N packets later.
 *
 * Waiting: the call waits at most a tenth of a second for a picture that is due. After the end, and with the options
 * low_delay and frame_delay, it waits as long as the picture takes.
 *
 * Errors: an error about a packet is returned once, in the place of that packet's picture, and decoding can continue.
 * Each packet gives a picture or an error, except for packets before the first keyframe and packets with
 * GVC_PACKET_DISCARD.
 *
 * GVC_ERROR_ENGINE: the engine has failed. This call returns the error once for each packet whose picture is lost, and
 * gvc_decoder_send returns it for each packet before the next one with GVC_PACKET_KEY, which starts another engine. If
 * several engines in a row fail soon after their start, no other is started and gvc_decoder_send keeps returning the
 * error. An engine that cannot be started and GVC_ERROR_MEMORY are final, too.
 */
int gvc_decoder_receive(gvc_context *context, gvc_picture *picture);
/**
 * Get pts, duration and key of the picture that gvc_decoder_peek has found, for example to allocate its planes. The
 * call does not touch the planes. Returns GVC_OK, GVC_AGAIN if there is no picture, or an error.
 */
int gvc_decoder_describe(gvc_context *context, gvc_picture *picture);
/** Return 1 if the picture that gvc_decoder_peek has found replaces one that was lost or damaged, else 0. */
int gvc_decoder_conceals(gvc_context *context);
/**
 * Skip the picture that gvc_decoder_peek has found, for example because its planes cannot be allocated. Returns GVC_OK,
 * GVC_AGAIN if there is no picture, or an error.
 */
int gvc_decoder_drop(gvc_context *context);
/**
 * Wait for a picture as gvc_decoder_receive does, and leave it there. Returns GVC_OK if there is one, otherwise what
 * gvc_decoder_receive would return. An error that this call has returned is not returned again by gvc_decoder_receive.
 */
int gvc_decoder_peek(gvc_context *context);
/**
 * Discard all queued packets and pictures; the context can then be used again, also after the end. Never waits for the
 * engine. Decoder (after a seek): the next packet should be a keyframe. Encoder: the next picture starts a new GOP.
 * Returns GVC_OK or an error.
 */
int gvc_flush(gvc_context *context);

/**
 * Return the value of the decoder's option frame_delay for a program that decodes through libavcodec. Pictures then
 * come as many packets late as with libavcodec's own frame threads, because programs that count packets rely on that.
 *
 * frame_threads: 1 if the program allows frame threads (thread_type) and delay (no AV_CODEC_FLAG_LOW_DELAY), else 0.
 * threads: number of threads that the program asks for; 0 = libavcodec's choice. Such a program cannot rely on a
 *     number of packets, so the delay then has no limit.
 *
 * With frame threads the environment variable GVC_FRAME_DELAY (a number of packets) overrides the result. It is meant
 * for players, which ask for a number of threads but go by timestamps.
 */
int gvc_frame_delay(int frame_threads, int threads);

/** Return the last error as a sentence, "" if there was none. The text stays valid until the next call. */
const char *gvc_error_message(const gvc_context *context);
/** End the engine, free everything and set *context to NULL. Does nothing if context or *context is NULL. */
void gvc_close(gvc_context **context);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
