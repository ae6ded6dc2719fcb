/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Replacing a codec of a loaded libavcodec by GVC.
 *
 * libavcodec's tables of codecs are constant arrays of pointers, so no codec can be added. Instead the plugin
 * overwrites a codec that hardly any program uses. All parts of FFmpeg then see GVC as an ordinary codec.
 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "pages.h"

static const char *const victims[] = {"asv1", "asv2", "cljr", "amv"};
static const char long_name[] = "GVC generative video codec";
// Values that mean "not set", so that the engine's own defaults apply unless the user sets a bitrate or distances.
static const struct codec_default encoder_defaults[] = {{"b", "0"}, {"g", "-1"}, {"keyint_min", "-1"}, {NULL, NULL}};

struct victim {
    const char *name;
    char *encoder, *decoder, *descriptor;
};

static unsigned callback_type(const struct layout *l, const char *codec) {
    return BITS_GET(FIELD(const unsigned, codec, l->codec_bits_word), l->codec_cb_type_shift, l->codec_cb_type_width);
}

/** Return whether the bit fields are plausible: the codec's callback type, few flags, no colour ranges in a decoder. */
static bool bits_fit(const struct layout *l, const char *codec, int type) {
    unsigned bits = FIELD(const unsigned, codec, l->codec_bits_word), ranges = 0;
    if (l->codec_color_ranges_shift >= 0)
        ranges = BITS_GET(bits, l->codec_color_ranges_shift, l->codec_color_ranges_width);
    return callback_type(l, codec) == (unsigned)type && (type == l->cb_type_encode || !ranges) &&
           BITS_GET(bits, l->codec_caps_internal_shift, l->codec_caps_internal_width) < 1u << 16;
}

/** Return whether the members of a codec, pointers included, have plausible values at the layout's offsets. */
static bool codec_fits(const struct host *host, const char *codec, const char *name, int id, int type) {
    const struct layout *l = host->layout;
    const void *base = library_base(*(void *const *)&host->call.avcodec_version);
    if (!base || library_base(codec) != base || library_base(codec + l->codec_size - 1) != base)
        return false;
    int priv_data_size = FIELD(const int, codec, l->codec_priv_data_size);
    const char *codec_name = FIELD(const char *const, codec, l->codec_name);
    return library_base(codec_name) == base && !strcmp(codec_name, name) &&
           FIELD(const int, codec, l->codec_type) == l->media_type_video &&
           FIELD(const int, codec, l->codec_id) == id && bits_fit(l, codec, type) && priv_data_size > 0 &&
           priv_data_size < 1 << 20 && library_base(FIELD(void *const, codec, l->codec_init)) == base &&
           library_base(FIELD(void *const, codec, l->codec_callback)) == base;
}

/** Fill in `victim`. Returns false if the library lacks this codec or its members do not fit the layout. */
static bool find_victim(const struct host *host, const char *name, struct victim *victim) {
    const struct layout *l = host->layout;
    *victim = (struct victim){
        .name = name,
        .encoder = host->call.avcodec_find_encoder_by_name(name),
        .decoder = host->call.avcodec_find_decoder_by_name(name),
        .descriptor = host->call.avcodec_descriptor_get_by_name(name),
    };
    if (!victim->encoder || !victim->decoder || !victim->descriptor)
        return false;
    int id = FIELD(int, victim->descriptor, l->descriptor_id);
    return id > 0 && host->call.avcodec_descriptor_get(id) == victim->descriptor &&
           FIELD(int, victim->descriptor, l->descriptor_type) == l->media_type_video &&
           codec_fits(host, victim->encoder, name, id, l->cb_type_encode) &&
           codec_fits(host, victim->decoder, name, id, l->cb_type_decode);
}

/** Turn the copy of an FFCodec into GVC's. Members that are not named here keep their values. */
static void rewrite_codec(const struct host *host, char *codec, enum role role, const void *option_class) {
    const struct layout *l = host->layout;
    const int cleared[] = {
        l->codec_profiles,   l->codec_supported_framerates,
        l->codec_pix_fmts,   l->codec_update_thread_context,
        l->codec_defaults,   l->codec_update_thread_context_for_user,
        l->codec_flush,      l->codec_bsfs,
        l->codec_hw_configs, l->codec_codec_tags,
    };
    for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
        FIELD(void *, codec, cleared[i]) = NULL;
    FIELD(const char *, codec, l->codec_name) = "gvc";
    FIELD(const char *, codec, l->codec_long_name) = long_name;
    FIELD(const char *, codec, l->codec_wrapper_name) = "libgvc";
    FIELD(int, codec, l->codec_capabilities) = l->capabilities;
    FIELD(uint8_t, codec, l->codec_max_lowres) = 0;
    FIELD(const void *, codec, l->codec_priv_class) = option_class;
    FIELD(int, codec, l->codec_priv_data_size) = (int)sizeof(struct codec_state);
    FIELD(int (*)(AVCodecContext *), codec, l->codec_close) = codec_close;
    unsigned *bits = &FIELD(unsigned, codec, l->codec_bits_word);
    *bits = BITS_SET(*bits, l->codec_caps_internal_shift, l->codec_caps_internal_width, l->caps_internal);
    if (role == DECODER) {
        FIELD(int, codec, l->codec_capabilities) |= AV_CODEC_CAP_DR1;
        FIELD(int (*)(AVCodecContext *), codec, l->codec_init) = decoder_init;
        FIELD(int (*)(AVCodecContext *, AVFrame *, int *, AVPacket *), codec, l->codec_callback) = decoder_decode;
        FIELD(void (*)(AVCodecContext *), codec, l->codec_flush) = decoder_flush;
        return;
    }
    FIELD(int (*)(AVCodecContext *), codec, l->codec_init) = encoder_init;
    FIELD(int (*)(AVCodecContext *, AVPacket *, const AVFrame *, int *), codec, l->codec_callback) = encoder_encode;
    FIELD(const int *, codec, l->codec_pix_fmts) = host->pixel_formats;
    FIELD(const struct codec_default *, codec, l->codec_defaults) = encoder_defaults;
    if (l->codec_color_ranges_shift >= 0)
        *bits = BITS_SET(*bits, l->codec_color_ranges_shift, l->codec_color_ranges_width, l->color_ranges);
}

static void rewrite_descriptor(const struct layout *l, char *descriptor) {
    FIELD(const char *, descriptor, l->descriptor_name) = "gvc";
    FIELD(const char *, descriptor, l->descriptor_long_name) = long_name;
    FIELD(int, descriptor, l->descriptor_props) = l->descriptor_props_lossy;
    FIELD(void *, descriptor, l->descriptor_mime_types) = NULL;
    FIELD(void *, descriptor, l->descriptor_profiles) = NULL;
}

static const char *replace(const struct host *host, const struct victim *victim) {
    const struct layout *l = host->layout;
    const void *encoder_class = make_option_class(host, ENCODER), *decoder_class = make_option_class(host, DECODER);
    size_t codec_size = (size_t)l->codec_size, descriptor_size = (size_t)l->descriptor_size;
    char *images = malloc(2 * codec_size + descriptor_size);
    if (!encoder_class || !decoder_class || !images) {
        free(images);
        return "out of memory";
    }
    char *encoder = images, *decoder = images + codec_size, *descriptor = images + 2 * codec_size;
    memcpy(encoder, victim->encoder, codec_size);
    memcpy(decoder, victim->decoder, codec_size);
    memcpy(descriptor, victim->descriptor, descriptor_size);
    rewrite_codec(host, encoder, ENCODER, encoder_class);
    rewrite_codec(host, decoder, DECODER, decoder_class);
    rewrite_descriptor(l, descriptor);
    const struct patch patches[] = {{victim->encoder, encoder, codec_size},
                                    {victim->decoder, decoder, codec_size},
                                    {victim->descriptor, descriptor, descriptor_size}};
    const char *reason = write_patches(patches, 3);
    free(images);
    return reason;
}

const char *host_take_over_codec(struct host *host, const char **victim_name) {
    struct victim victim;
    find_pixel_formats(host);
    for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++) {
        if (!find_victim(host, victims[i], &victim))
            continue;
        const char *reason = replace(host, &victim);
        if (!reason) {
            host->codec_id = FIELD(int, victim.descriptor, host->layout->descriptor_id);
            *victim_name = victim.name;
        }
        return reason;
    }
    return "it has none of the codecs asv1, asv2, cljr and amv, which gvc could replace";
}
