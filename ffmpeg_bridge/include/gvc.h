/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * libgvc: encode and decode GVC video from C.
 *
 * The engine (a Python process) is started by the library and spoken to over a private socket; no Python and
 * no model code is ever loaded into the caller. Where the user's warm engine runs (`gvc serve`), that is used instead,
 * unless GVC_SERVE=0 is in the environment. The engine gets the caller's environment, but for LD_PRELOAD, LD_AUDIT and
 * everything that begins with PYTHON.
 *
 * A context is for one thread at a time; different contexts may be used by different threads. Its engine belongs to the
 * process that started it: a forked child may close a context that it inherited, which leaves the parent's engine
 * alone. An encoder cannot go on in the child; a decoder can, with an engine of its own, after gvc_flush and with a
 * keyframe.
 *
 * A slow engine is waited for, as long as it takes. One that is stopped (SIGSTOP) counts as failed once a caller has
 * waited six seconds for it; a process that a debugger holds does not.
 *
 * Encoding: gvc_encoder_open, then for each frame gvc_encoder_send and gvc_encoder_receive until GVC_AGAIN; at the
 * end gvc_encoder_send(NULL) and gvc_encoder_receive until GVC_EOF; gvc_close.
 * Decoding: gvc_decoder_open, then for each packet gvc_decoder_send and gvc_decoder_receive until GVC_AGAIN; at the
 * end gvc_decoder_send(NULL) and gvc_decoder_receive until GVC_EOF; after a seek gvc_flush; gvc_close.
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

/** Results. Negative values are not success; gvc_error_message says in a sentence what happened. */
enum gvc_result {
    GVC_OK = 0,
    GVC_AGAIN = -1,            ///< nothing to give yet: send more
    GVC_EOF = -2,              ///< everything has been given
    GVC_ERROR = -10,           ///< unspecific failure
    GVC_ERROR_BITSTREAM = -11, ///< the bytes are no valid GVC stream
    GVC_ERROR_OPTION = -12,    ///< unknown option or value out of range
    GVC_ERROR_PRIOR = -13,     ///< the stream's or option's prior is not available
    GVC_ERROR_RATE = -14,      ///< bitrate below the floor of the material
    GVC_ERROR_MEDIA = -15,     ///< geometry or format not supported
    GVC_ERROR_ENGINE = -16,    ///< engine not found, dead, or of another version
    GVC_ERROR_MEMORY = -17     ///< out of memory
};

enum gvc_packet_flags {
    GVC_PACKET_KEY = 1,    ///< decoding can start here
    GVC_PACKET_DISCARD = 2 ///< decoder: no picture is to be given for it, as before the first of an edit list
};

#define GVC_NOPTS INT64_MIN ///< unknown timestamp

/** How samples are laid out; the names are FFmpeg's, samples of 10 bits are 16-bit words in the machine's order. */
enum gvc_sample_format {
    GVC_SAMPLES_YUV420P = 1,
    GVC_SAMPLES_YUV444P = 2,
    GVC_SAMPLES_GBRP = 3,
    GVC_SAMPLES_YUV420P10 = 4,
    GVC_SAMPLES_YUV444P10 = 5,
    GVC_SAMPLES_GBRP10 = 6,
    GVC_SAMPLES_RGB24 = 64 ///< encoder only: one plane; decoders give GVC_SAMPLES_GBRP
};

/**
 * What a video is. Colour fields have the values of FFmpeg's AVColorRange, AVColorPrimaries etc.; an encoder takes 0 as
 * unspecified, so all that a program does not care about may be zeroed.
 */
typedef struct gvc_params {
    size_t struct_size;                 ///< = sizeof(gvc_params); lets the struct grow
    int width, height;                  ///< luma samples, 1..16384; decoder: may be 0 if extradata is given
    int time_base_num, time_base_den;   ///< seconds a tick of pts and duration, default 1/25
    int frame_rate_num, frame_rate_den; ///< nominal, 0/1 = unknown
    int sar_num, sar_den;               ///< sample aspect ratio, 0/1 = unknown
    int color_range, color_primaries, color_trc, colorspace, chroma_location;
    const char *options; ///< "key=value:key=value" (see docs/OPTIONS), NULL = defaults
    const uint8_t
        *extradata;        ///< decoder: sequence header, may be NULL (then the first keyframe must carry it) or padded
    size_t extradata_size; ///< bytes
    int sample_format;     ///< enum gvc_sample_format; encoder: 0 is GVC_SAMPLES_YUV420P
} gvc_params;

/** A picture in the caller's memory: planes Y, Cb, Cr, or G, B, R, or one of RGB24. */
typedef struct gvc_picture {
    uint8_t *data[3];
    ptrdiff_t stride[3];   ///< bytes, may be negative
    int64_t pts, duration; ///< ticks of time_base; pts may be GVC_NOPTS; encoder: duration 0 is that of the frame rate
    int key;               ///< encoder: start a self-contained GOP here; decoder: it did
} gvc_picture;

/** A coded frame. */
typedef struct gvc_packet {
    const uint8_t *data;
    size_t size;           ///< bytes
    int64_t pts, duration; ///< ticks of time_base; dts equals pts
    int flags;             ///< enum gvc_packet_flags
} gvc_packet;

typedef struct gvc_context gvc_context;

/** Version of the library as text, for logs. */
const char *gvc_version(void);
/** GVC_API_VERSION that the library was built with. */
int gvc_api_version(void);

/**
 * Open an encoder and start its engine. On failure *context may still be non-NULL so that gvc_error_message can be
 * read; close it in any case.
 */
int gvc_encoder_open(gvc_context **context, const gvc_params *params);
/** The sequence header; *data belongs to the context and lives as long as it. */
int gvc_encoder_extradata(gvc_context *context, const uint8_t **data, size_t *size);
/**
 * Give a picture (copied before return), or NULL once for the end; after that GVC_EOF. Blocks while the engine's queue
 * is full. An error ends the encoder; packets made before it can still be received.
 */
int gvc_encoder_send(gvc_context *context, const gvc_picture *picture);
/** Take a packet: GVC_OK, GVC_AGAIN or GVC_EOF; blocks only after the end was sent. Data is valid until the next call.
 */
int gvc_encoder_receive(gvc_context *context, gvc_packet *packet);

/** Open a decoder. Reads the extradata; the engine starts with the first packet, so probing a file costs nothing. */
int gvc_decoder_open(gvc_context **context, const gvc_params *params);
/**
 * Geometry and colour as the sequence header says; GVC_AGAIN while none is known. Set params->struct_size before; the
 * pointers of params are left alone.
 */
int gvc_decoder_format(gvc_context *context, gvc_params *params);
/**
 * Give a packet (copied before return), or NULL once for the end; after that GVC_EOF. The first packet starts the
 * engine, so a bad option, a prior that is missing and the like are told here.
 */
int gvc_decoder_send(gvc_context *context, const gvc_packet *packet);
/**
 * Take a picture into the caller's planes: GVC_OK, GVC_AGAIN or GVC_EOF. GVC_AGAIN always means "send more": a GOP is
 * decoded while packets go on to be taken and the pictures of the GOP before are given, one a packet, so that they come
 * about a GOP later than their packets. This waits for a picture that is due, but no longer than a tenth of a second;
 * after the end, and with the options low_delay=1 and frame_delay=N, which let a picture come none or at most N packets
 * later than its own, as long as it takes.
 * An error is told once, in place of the picture of the packet that it is about, and decoding can go on; each packet
 * gets a picture or an error, unless it comes before the first keyframe or has GVC_PACKET_DISCARD.
 * After GVC_ERROR_ENGINE it goes on at the next packet with GVC_PACKET_KEY, which starts another engine; the packets
 * before it get an error each, from gvc_decoder_send, and so do those whose pictures went with the engine, from here.
 * If engines end soon again and again, there is a last such error and gvc_decoder_send keeps telling it. An engine that
 * cannot be started and GVC_ERROR_MEMORY are final, too.
 * The planes must have the size that gvc_decoder_format tells after gvc_decoder_peek; it and the
 * sample format can change at a keyframe.
 */
int gvc_decoder_receive(gvc_context *context, gvc_picture *picture);
/**
 * pts, duration and key of the picture that gvc_decoder_peek has found, so that a place can be made for it; GVC_AGAIN
 * if there is none. The planes are left alone.
 */
int gvc_decoder_describe(gvc_context *context, gvc_picture *picture);
/** 1 if the picture that gvc_decoder_peek has found stands in for one that was lost or damaged, else 0. */
int gvc_decoder_conceals(gvc_context *context);
/** Let go of the picture that gvc_decoder_peek has found, for one that there is no place for. */
int gvc_decoder_drop(gvc_context *context);
/**
 * GVC_OK if gvc_decoder_receive would give a picture, else what it would return (an error is told by one of the two,
 * not by both); blocks like it.
 */
int gvc_decoder_peek(gvc_context *context);
/**
 * Forget all queued packets and pictures and go on, also after the end. Never waits for the engine. Decoder (after a
 * seek): the next packet should be a keyframe. Encoder: the next picture starts a new GOP.
 */
int gvc_flush(gvc_context *context);

/**
 * Value of the decoder's option frame_delay for a program that lets libavcodec decode: a picture may come as many
 * packets late as with libavcodec's own frame threads, since programs that count packets rely on that.
 *
 * frame_threads: whether the program allows them (thread_type) and forbids no delay (AV_CODEC_FLAG_LOW_DELAY).
 * threads: how many it asks for; 0: as many as libavcodec likes, so it cannot count on a number, and a whole GOP is
 * right.
 *
 * With frame threads the environment variable GVC_FRAME_DELAY, a number of packets, comes first. It is for players,
 * which ask for a number of threads and yet go by timestamps.
 */
int gvc_frame_delay(int frame_threads, int threads);

/** The last error in a sentence, "" if there was none. Valid until the next call. */
const char *gvc_error_message(const gvc_context *context);
/** End the engine, free everything and set *context to NULL. NULL-safe. */
void gvc_close(gvc_context **context);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
