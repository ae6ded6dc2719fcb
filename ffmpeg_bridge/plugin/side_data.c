/**
 * What the container says of all pictures of a track, such as their rotation. libavcodec adds it to the frames of
 * codecs that take their buffers from ff_get_buffer, which is hidden from a plugin.
 */
#include "codec.h"

#include <string.h>

/** The type that side data of a track has in frames, -1 if it does not go there. */
static int type_in_frames(const struct layout *l, int type) {
    const int types[] = {l->side_data_rotation, l->side_data_mastering_display, l->side_data_light_level,
                         l->side_data_stereo,   l->side_data_spherical,         l->side_data_icc};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i] / 256 == type)
            return types[i] % 256;
    return -1;
}

int add_side_data(const struct host *host, const AVCodecContext *avctx, AVFrame *frame) {
    const struct layout *l = host->layout;
    if (l->avctx_side_data < 0)
        return 0;
    const char *entry = FIELD(const char *const, avctx, l->avctx_side_data);
    int count = FIELD(const int, avctx, l->avctx_side_data_count);
    for (int i = 0; i < count; i++, entry += l->packet_side_data_stride) {
        int type = type_in_frames(l, FIELD(const int, entry, l->packet_side_data_type));
        if (type < 0)
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
