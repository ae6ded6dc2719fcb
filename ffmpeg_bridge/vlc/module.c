/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The module and its options as VLC lists them. */
#define MODULE_STRING "gvc"
#define VLC_MODULE_COPYRIGHT "Copyright (C) 2026 The GVC contributors"
#define VLC_MODULE_LICENSE "BSD-2-Clause"

#include "vlcgvc.h"

#include <vlc_plugin.h>

#include <gvc_options.h>

#define ADD_INT(name, value, low, high, help)                                                                          \
    add_integer_with_range(GVC_VLC_OPTION(name), value, low, high, #name, help, true)
#define ADD_DOUBLE(name, value, low, high, help)                                                                       \
    add_float_with_range(GVC_VLC_OPTION(name), value, low, high, #name, help, true)
#define ADD_STRING(name, value, help) add_string(GVC_VLC_OPTION(name), value, #name, help, true)

enum { ABOVE_LIBAVCODEC = 100 };

/* clang-format off */
vlc_module_begin()
    set_shortname("GVC")
    set_description("GVC generative video decoder")
    set_capability("video decoder", ABOVE_LIBAVCODEC)
    set_callbacks(gvc_vlc_open, gvc_vlc_close)
    set_category(CAT_INPUT)
    set_subcategory(SUBCAT_INPUT_VCODEC)
    GVC_DECODER_OPTIONS(ADD_INT, ADD_DOUBLE, ADD_STRING)
    GVC_DECODER_STANDARD_OPTIONS(ADD_INT, ADD_DOUBLE, ADD_STRING)
vlc_module_end()
