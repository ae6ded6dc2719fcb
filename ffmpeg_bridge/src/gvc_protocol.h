/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libgvc and its engine say to each other. Private to GVC; both ends read this very file (the engine through
 * cffi, which is why it holds nothing but plain C declarations), so that they cannot differ.
 *
 * A stream socket carries messages: a gvc_message, then `size` bytes of payload. Both ends run on one machine, so the
 * structs go over in its byte order (little-endian wherever GVC runs). The socket is GVC_SOCKET_FD of an engine that
 * libgvc started, or a connection to the warm engine of the same user (`gvc serve`), which listens at
 *
 *     $XDG_RUNTIME_DIR/gvc/engine-VERSION.sock, or /tmp/gvc-UID/engine-VERSION.sock where that variable is not set
 *
 * with VERSION = GVC_PROTOCOL_VERSION. The folder belongs to the user and nobody else may enter it; both ends make sure
 * of that and of each other's user id.
 *
 * Pictures do not go over the socket: they lie in GVC_SLOTS slots of a shared memory that the client makes, sealed
 * against shrinking, and whose descriptor goes over with OPEN (SCM_RIGHTS). Each slot has the planes of a picture
 * without padding, slot n at n * (bytes of a picture). The encoder's slots belong to the client until it sends PICTURE,
 * the decoder's to the engine; RELEASE gives a slot back.
 *
 *     engine               client
 *     HELLO          ->                    pts = GVC_PROTOCOL_VERSION; this message never changes its layout
 *                    <-    OPEN            gvc_open, options, extradata, folder; with it the shared memory
 *     READY          ->                    payload: the sequence header (encoder), nothing (decoder);
 *                                          GVC_MESSAGE_AHEAD: this decoder works a whole GOP ahead
 *
 *     encoder        <-    PICTURE         slot, flags, pts, duration
 *     RELEASE        ->                    the picture was copied
 *     PACKET         ->                    flags, pts, duration, payload; at any time
 *
 *     decoder        <-    PACKET          flags, pts, duration, payload
 *     FORMAT         ->                    gvc_format; before the first picture and when the geometry changes, when all
 *                                          slots are free; the engine has made the memory large enough before
 *     PICTURE        ->                    slot, flags, pts, duration
 *                    <-    RELEASE         the picture was copied
 *     DONE           ->                    to each packet, in order, after the picture that is due, if there is one,
 *                                          which came frame_delay packets before it at most;
 *                                          GVC_MESSAGE_NOTHING: the packet that was due has none, and no error
 *
 *     both           <-    END             no more input: give what is left
 *     END            ->                    all was given: a decoder sends the pictures that are left before it
 *                    <-    FLUSH           forget everything since OPEN
 *     FLUSH          ->                    everything after this belongs to what was sent after FLUSH
 *     FAILURE        ->                    code, payload: a sentence (UTF-8). From a decoder in the place of the
 *                                          picture of one packet; from an encoder, before READY,
 *                                          and with GVC_ERROR_ENGINE it is the last message
 *
 * A closed socket means "quit" to the engine and "the engine died" to the client; before HELLO it means that a warm
 * engine has no room, and the client starts one of its own. The client takes replies whenever it waits, also while it
 * waits to send, and queues them without limit; the engine takes messages whatever its decoder is doing, and keeps
 * packets that wait to be decoded, or whose pictures wait to be taken, up to GVC_MAX_WAITING. So neither can lock the
 * other up.
 */
#ifndef GVC_PROTOCOL_H
#define GVC_PROTOCOL_H

#include <stdint.h>

enum gvc_protocol {
    GVC_PROTOCOL_VERSION = 4,
    GVC_SOCKET_FD = 3,
    GVC_SLOTS = 8,
    GVC_MAX_DIMENSION = 16384,
    GVC_MAX_PACKET = 268435456,   /* bytes of a PACKET's payload, 256 MiB */
    GVC_MAX_WAITING = 1073741824, /* bytes of packets that an engine keeps until their pictures are taken, 1 GiB */
    GVC_MAX_HEADER = 65535,       /* bytes of a sequence header */
    GVC_MAX_OPTIONS = 65536,      /* bytes of options */
    GVC_MAX_FOLDER = 4096,        /* bytes of the client's current folder */
    GVC_MAX_SENTENCE = 1023       /* bytes of a FAILURE's payload */
};

enum gvc_message_type {
    GVC_MSG_HELLO = 1,
    GVC_MSG_OPEN,
    GVC_MSG_READY,
    GVC_MSG_PICTURE,
    GVC_MSG_PACKET,
    GVC_MSG_RELEASE,
    GVC_MSG_FORMAT,
    GVC_MSG_DONE,
    GVC_MSG_END,
    GVC_MSG_FLUSH,
    GVC_MSG_FAILURE
};

enum gvc_role { GVC_ENCODER = 1, GVC_DECODER };

enum gvc_message_flags {
    GVC_MESSAGE_KEY = 1,
    GVC_MESSAGE_AHEAD = 2,
    GVC_MESSAGE_DISCARD = 4,
    GVC_MESSAGE_NOTHING = 8,   /* DONE: the packet that was due has neither a picture nor an error */
    GVC_MESSAGE_CONCEALED = 16 /* PICTURE: it stands in for one that was lost or damaged */
};

typedef struct gvc_message {
    uint32_t type;  /* enum gvc_message_type */
    uint32_t size;  /* bytes of payload that follow */
    uint32_t slot;  /* PICTURE, RELEASE */
    uint32_t flags; /* PICTURE, PACKET, READY, DONE */
    int64_t pts, duration;
    int32_t code; /* FAILURE: enum gvc_result */
    uint32_t reserved;
} gvc_message;

typedef struct gvc_format {
    int32_t width, height;
    int32_t time_base_num, time_base_den;
    int32_t frame_rate_num, frame_rate_den; /* 0/1: unknown */
    int32_t sar_num, sar_den;               /* 0/1: unknown */
    int32_t color_range, color_primaries, color_trc, colorspace, chroma_location;
    int32_t sample_format; /* enum gvc_sample_format, but for GVC_SAMPLES_RGB24 */
} gvc_format;

typedef struct gvc_open {
    uint32_t role;           /* enum gvc_role */
    gvc_format format;       /* decoder: only the time base counts */
    uint32_t options_size;   /* bytes after this struct: key=value:key=value */
    uint32_t extradata_size; /* bytes after the options: the sequence header of a decoder */
    uint32_t folder_size;    /* bytes after the extradata: the client's current folder, where relative paths start */
} gvc_open;

#endif
