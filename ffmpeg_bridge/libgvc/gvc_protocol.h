/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol between libgvc and its engine, private to GVC. Both ends are made from this file, so that they do not
 * differ; the engine's end through cffi (`make generate`), which is why it holds only plain C declarations.
 *
 * A stream socket carries messages. A message is a gvc_message, then `size` bytes of payload. Both ends run on one
 * machine, so the structs have its byte order (little-endian wherever GVC runs). The socket is descriptor GVC_SOCKET_FD
 * of an engine that libgvc started, or a connection to the warm engine of the same user (`gvc serve`), which listens at
 *
 *     $XDG_RUNTIME_DIR/gvc/engine-VERSION.sock, or /tmp/gvc-UID/engine-VERSION.sock where that variable is not set
 *
 * with VERSION = GVC_PROTOCOL_VERSION. The folder belongs to the user and nobody else may enter it; both ends check
 * this and each other's user id.
 *
 * Pictures are not sent over the socket. They lie in shared memory of GVC_SLOTS slots, which the client makes and seals
 * against shrinking; OPEN carries its descriptor (SCM_RIGHTS). A slot holds the planes of one picture without padding,
 * and slot n starts at n * (bytes of a picture). A slot belongs to the end that writes pictures (the client of an
 * encoder, the engine of a decoder) until that end sends PICTURE. RELEASE gives the slot back.
 *
 *     engine               client
 *     HELLO          ->                    pts = GVC_PROTOCOL_VERSION. This message never changes its layout.
 *                    <-    OPEN            gvc_open, options, extradata, folder; also the shared memory's descriptor
 *     READY          ->                    Payload of an encoder: the sequence header. GVC_MESSAGE_AHEAD: this decoder
 *                                          works whole GOPs ahead.
 *
 *     encoder        <-    PICTURE         slot, flags, pts, duration
 *     RELEASE        ->                    The picture was copied.
 *     PACKET         ->                    flags, pts, duration, payload. It may come at any time.
 *
 *     decoder        <-    PACKET          flags, pts, duration, payload
 *     FORMAT         ->                    gvc_format. It comes before the first picture and when the format changes.
 *                                          All slots are free then, and the engine has made the memory large enough.
 *     PICTURE        ->                    slot, flags, pts, duration
 *                    <-    RELEASE         The picture was copied.
 *     DONE           ->                    The answer to each packet, in order. If a picture is due, it comes just
 *                                          before; it belongs to this packet or to one at most frame_delay packets
 *                                          earlier. GVC_MESSAGE_NOTHING: the packet that was due has neither a picture
 *                                          nor an error.
 *
 *     both           <-    END             There is no more input; the remaining output is wanted.
 *     END            ->                    All output was sent, for a decoder also the remaining pictures.
 *                    <-    FLUSH           The engine is to forget everything since OPEN.
 *     FLUSH          ->                    All later messages concern input that was sent after FLUSH.
 *     FAILURE        ->                    code; payload: a sentence (UTF-8). A decoder sends it in the place of one
 *                                          packet's picture. It is the last message if an encoder sends it, before
 *                                          READY, and with GVC_ERROR_ENGINE.
 *
 * A closed socket tells the engine to end, and tells the client that the engine has ended. Before HELLO it means that a
 * warm engine has no room, and the client starts an engine of its own.
 *
 * Neither end can block the other for good. The client reads replies whenever it waits, also while it waits to send,
 * and queues them without limit. The engine reads messages whatever its decoder is doing, and keeps packets whose
 * pictures were not taken yet, up to GVC_MAX_WAITING bytes.
 */
#ifndef GVC_PROTOCOL_H
#define GVC_PROTOCOL_H

#include <stdint.h>

enum gvc_protocol {
    GVC_PROTOCOL_VERSION = 4,
    GVC_SOCKET_FD = 3,
    GVC_SLOTS = 8,
    GVC_MAX_DIMENSION = 16384,
    GVC_MAX_PACKET = 268435456,   /* largest payload of PACKET: 256 MiB */
    GVC_MAX_WAITING = 1073741824, /* most bytes of packets whose pictures were not taken yet: 1 GiB */
    GVC_MAX_HEADER = 65535,       /* largest sequence header, in bytes */
    GVC_MAX_OPTIONS = 65536,      /* longest text of options, in bytes */
    GVC_MAX_FOLDER = 4096,        /* longest path of the client's current folder, in bytes */
    GVC_MAX_SENTENCE = 1023       /* largest payload of FAILURE, in bytes */
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
    GVC_MESSAGE_KEY = 1,        /* PICTURE, PACKET: a self-contained GOP starts here */
    GVC_MESSAGE_AHEAD = 2,      /* READY: the decoder works whole GOPs ahead */
    GVC_MESSAGE_DISCARD = 4,    /* PACKET: the packet is decoded but gives no picture */
    GVC_MESSAGE_NOTHING = 8,    /* DONE: the packet that was due has neither a picture nor an error */
    GVC_MESSAGE_CONCEALED = 16, /* PICTURE: it replaces one that was lost or damaged; FAILURE: a picture follows it */
    GVC_MESSAGE_ALONE = 32 /* PACKET: of the pictures from this keyframe to the next one, only the first is wanted */
};

typedef struct gvc_message {
    uint32_t type;  /* enum gvc_message_type */
    uint32_t size;  /* bytes of payload that follow */
    uint32_t slot;  /* used in PICTURE and RELEASE */
    uint32_t flags; /* enum gvc_message_flags; used in PICTURE, PACKET, READY and DONE */
    int64_t pts, duration;
    int32_t code; /* enum gvc_result; used in FAILURE */
    uint32_t reserved;
} gvc_message;

typedef struct gvc_format {
    int32_t width, height;
    int32_t time_base_num, time_base_den;
    int32_t frame_rate_num, frame_rate_den; /* 0/1 = unknown */
    int32_t sar_num, sar_den;               /* sample aspect ratio, 0/1 = unknown */
    int32_t color_range, color_primaries, color_trc, colorspace, chroma_location;
    int32_t sample_format; /* enum gvc_sample_format except GVC_SAMPLES_RGB24 */
} gvc_format;

typedef struct gvc_open {
    uint32_t role;           /* enum gvc_role */
    gvc_format format;       /* a decoder uses only its time base */
    uint32_t options_size;   /* bytes of the options, key=value:key=value, which follow this struct */
    uint32_t extradata_size; /* bytes of a decoder's sequence header, which follows the options */
    uint32_t folder_size;    /* bytes of the client's current folder, for relative paths; follows the extradata */
} gvc_open;

#endif
