/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** What the files of the VLC module share. */
#ifndef VLC_GVC_H
#define VLC_GVC_H

#include <vlc_common.h>

#include <vlc_codec.h>

#include <gvc.h>

/** Open and close a decoder: the module's callbacks. */
int gvc_vlc_open(vlc_object_t *object);
void gvc_vlc_close(vlc_object_t *object);

/** Name of an option of GVC among VLC's. */
#define GVC_VLC_OPTION(name) "gvc-" #name

/** Return a decoder's options as gvc_params takes them, NULL if memory is short. The caller frees the text. */
char *gvc_vlc_options_text(decoder_t *decoder);

/**
 * Describe the pictures of a stream as VLC does.
 *
 * container: what the container says. It counts where GVC says nothing, such as orientation and stereo.
 */
void gvc_vlc_read_format(video_format_t *video, const video_format_t *container, const gvc_params *format);

#endif
