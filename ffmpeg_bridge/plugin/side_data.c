/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Copying the container's side data to frames: data about a whole track, such as its rotation, and data about one
 * packet, such as its captions. libavcodec does this in ff_get_buffer, which is hidden from a plugin.
 */
#include "codec.h"

#include <string.h>

/** Return the frame's side data type for a packet's or a track's type, -1 if frames do not get it. */
static int type_in_frames(const struct layout *l, int type, bool of_track) {
    const int of_tracks[] = {l->side_data_rotation, l->side_data_mastering_display, l->side_data_light_level,
                             l->side_data_stereo,   l->side_data_spherical,         l->side_data_icc,
                             l->side_data_viewing,  l->side_data_displays};
    const int of_packets[] = {l->side_data_captions, l->side_data_afd,      l->side_data_hdr10_plus,
                              l->side_data_hdr_app5, l->side_data_timecode, l->side_data_skip};
    for (size_t i = 0; i < sizeof(of_tracks) / sizeof(of_tracks[0]); i++)
        if (of_tracks[i] >= 0 && of_tracks[i] / 256 == type)
            return of_tracks[i] % 256;
    for (size_t i = 0; !of_track && i < sizeof(of_packets) / sizeof(of_packets[0]); i++)
        if (of_packets[i] >= 0 && of_packets[i] / 256 == type)
            return of_packets[i] % 256;
    return -1;
}

/** Copy `count` entries of side data to a frame, except for types that the frame already has. */
static int copy_entries(const struct host *host, const char *entry, int count, bool of_track, AVFrame *frame) {
    const struct layout *l = host->layout;
    for (int i = 0; i < count; i++, entry += l->packet_side_data_stride) {
        int type = type_in_frames(l, FIELD(const int, entry, l->packet_side_data_type), of_track);
        if (type < 0 || host->call.av_frame_get_side_data(frame, type))
            continue;
        size_t size = FIELD(const size_t, entry, l->packet_side_data_size);
        void *added = host->call.av_frame_new_side_data(frame, type, size);
        if (!added)
            return AVERROR(ENOMEM);
        memcpy(FIELD(void *, added, l->frame_side_data_data), FIELD(void *const, entry, l->packet_side_data_data),
               size);
    }
    return 0;
}

int add_track_side_data(const struct host *host, const AVCodecContext *avctx, AVFrame *frame) {
    const struct layout *l = host->layout;
    if (l->avctx_side_data < 0)
        return 0;
    return copy_entries(host, FIELD(const char *const, avctx, l->avctx_side_data),
                        FIELD(const int, avctx, l->avctx_side_data_count), true, frame);
}

int add_packet_side_data(const struct host *host, const AVPacket *packet, AVFrame *frame) {
    const struct layout *l = host->layout;
    const char *entry = FIELD(const char *const, packet, l->packet_side_data);
    int count = FIELD(const int, packet, l->packet_side_data_count);
    size_t size = 0;
    const uint8_t *tags = host->call.av_packet_get_side_data(packet, l->packet_strings_metadata, &size);
    int error = copy_entries(host, entry, count, false, frame);
    if (error >= 0 && tags)
        host->call.av_packet_unpack_dictionary(tags, size,
                                               &FIELD(void *, frame, l->frame_metadata)); // broken tags are ignored
    return error;
}
