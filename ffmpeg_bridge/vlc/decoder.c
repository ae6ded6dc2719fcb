/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder. */
#include "vlcgvc.h"

#include <vlc_dialog.h>

#include <string.h>

/** First bytes of packets at which decoding can start, and of no other longer packets. */
enum { KEY_GOP = 2, COMPACT_KEY_GOP = 128, LAST_COMPACT_KEY_GOP = 191 };

struct decoder_sys_t {
    gvc_context *gvc;
    gvc_params format; ///< what the output's format was made of, width 0 = there is none yet
    int reported;      ///< error that was reported last, 0 = none since the last picture
};

static const char *error_text(const gvc_context *gvc, int result) {
    return result == GVC_ERROR_MEMORY ? "out of memory" : gvc_error_message(gvc);
}

/**
 * Report an error.
 *
 * final: whether decoding cannot go on after an error of the engine. All errors but those of the engine and of the
 *     bitstream are final anyway.
 */
static int report(decoder_t *decoder, int result, bool final) {
    decoder_sys_t *sys = decoder->p_sys;
    const char *text = error_text(sys->gvc, result);
    if (result != GVC_ERROR_BITSTREAM && (final || result != GVC_ERROR_ENGINE)) {
        vlc_dialog_display_error(decoder, "GVC", "%s", text);
        return VLCDEC_ECRITICAL;
    }
    if (result != sys->reported) /* a lost engine costs all pictures of a GOP */
        msg_Err(decoder, "%s", text);
    sys->reported = result;
    return VLCDEC_SUCCESS;
}

/** Update VLC's format for the next picture if its format is another one, as it may be from a keyframe on. */
static int follow_format(decoder_t *decoder) {
    decoder_sys_t *sys = decoder->p_sys;
    gvc_params format;
    memset(&format, 0, sizeof format);
    format.struct_size = sizeof format;
    if (gvc_decoder_format(sys->gvc, &format) != GVC_OK)
        return -1;
    if (memcmp(&format, &sys->format, sizeof format)) {
        gvc_vlc_read_format(&decoder->fmt_out.video, &decoder->fmt_in.video, &format);
        decoder->fmt_out.i_codec = decoder->fmt_out.video.i_chroma;
        sys->format = format;
    }
    return decoder_UpdateVideoFormat(decoder);
}

/** Output the picture that libgvc has ready. */
static int output_picture(decoder_t *decoder) {
    decoder_sys_t *sys = decoder->p_sys;
    gvc_picture picture = {0};
    gvc_decoder_describe(sys->gvc, &picture);
    picture_t *output = follow_format(decoder) ? NULL : decoder_NewPicture(decoder);
    if (!output) { /* VLC stops, or its video output cannot show this format, which it reports */
        gvc_decoder_drop(sys->gvc);
        return VLCDEC_SUCCESS;
    }
    for (int i = 0; i < output->i_planes; i++) {
        picture.data[i] = output->p[i].p_pixels;
        picture.stride[i] = output->p[i].i_pitch;
    }
    int result = gvc_decoder_receive(sys->gvc, &picture);
    if (result != GVC_OK) {
        picture_Release(output);
        return report(decoder, result, false);
    }
    output->date = picture.pts == GVC_NOPTS ? VLC_TICK_INVALID : picture.pts;
    output->b_progressive = true;
    sys->reported = 0;
    decoder_QueueVideo(decoder, output);
    return VLCDEC_SUCCESS;
}

static int output_pictures(decoder_t *decoder) {
    int status = VLCDEC_SUCCESS, result;
    while (status == VLCDEC_SUCCESS && (result = gvc_decoder_peek(decoder->p_sys->gvc)) != GVC_AGAIN &&
           result != GVC_EOF)
        status = result == GVC_OK ? output_picture(decoder) : report(decoder, result, false);
    return status;
}

static void flush(decoder_t *decoder) {
    gvc_flush(decoder->p_sys->gvc); /* after a failure the next packet reports it */
}

static int drain(decoder_t *decoder) {
    gvc_decoder_send(decoder->p_sys->gvc, NULL);
    int status = output_pictures(decoder);
    flush(decoder); /* decoding can go on with a keyframe */
    return status;
}

static bool is_key(const block_t *block) {
    if (block->i_buffer < 2)
        return false;
    uint8_t type = block->p_buffer[0];
    return type == KEY_GOP || (type >= COMPACT_KEY_GOP && type <= LAST_COMPACT_KEY_GOP);
}

static int decode(decoder_t *decoder, block_t *block) {
    if (!block)
        return drain(decoder);
    /* Matroska's demuxer gives only dts. Those of MOV and AVI do not mark all keyframes, but the first byte does. */
    vlc_tick_t pts = block->i_pts > VLC_TICK_INVALID ? block->i_pts : block->i_dts;
    bool key = is_key(block);
    const gvc_packet packet = {
        .data = block->p_buffer,
        .size = block->i_buffer,
        .pts = pts > VLC_TICK_INVALID ? pts : GVC_NOPTS,
        .duration = block->i_length,
        .flags = (key ? GVC_PACKET_KEY : 0) | (block->i_flags & BLOCK_FLAG_PREROLL ? GVC_PACKET_DISCARD : 0),
    };
    int result = packet.size ? gvc_decoder_send(decoder->p_sys->gvc, &packet) : GVC_OK; /* AVI has empty ones as gaps */
    block_Release(block);
    if (result != GVC_OK) /* a keyframe starts another engine, so its error means that there will be none */
        return report(decoder, result, key);
    return output_pictures(decoder);
}

int gvc_vlc_open(vlc_object_t *object) {
    decoder_t *decoder = (decoder_t *)object;
    if (decoder->fmt_in.i_codec != VLC_FOURCC('G', 'V', 'C', '1'))
        return VLC_EGENERIC;
    decoder_sys_t *sys = calloc(1, sizeof *sys);
    char *options = gvc_vlc_options_text(decoder);
    /* Demuxers do not all pass the sequence header on as it is, so it is taken from the first keyframe. */
    gvc_params params = {.struct_size = sizeof params, .options = options};
    int result = sys && options ? gvc_decoder_open(&sys->gvc, &params) : GVC_ERROR_MEMORY;
    free(options);
    decoder->p_sys = sys;
    if (result != GVC_OK) {
        msg_Err(decoder, "%s", error_text(sys ? sys->gvc : NULL, result));
        gvc_vlc_close(object);
        return VLC_EGENERIC;
    }
    decoder->pf_decode = decode;
    decoder->pf_flush = flush;
    return VLC_SUCCESS;
}

void gvc_vlc_close(vlc_object_t *object) {
    decoder_sys_t *sys = ((decoder_t *)object)->p_sys;
    if (sys)
        gvc_close(&sys->gvc);
    free(sys);
}
