/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The single list of all that the plugin must know about FFmpeg's structs, private ones included.
 *
 * layout.h declares a member for each entry. tools/layout_probe.c is compiled against FFmpeg's headers, evaluates the
 * second column and prints one row of layouts.inc. MEMBER(struct, member, size) is the member's offset in bytes; the
 * probe does not compile if the size is wrong. BITS_*(member) give the place of a bit field of FFCodec.
 * SIDE_DATA_TYPES(type) is the type's number for packets times 256 plus its number for frames. All other entries are
 * numbers. A negative number means that the release has no such member.
 */
#ifndef GVC_LAYOUT_FIELDS_H
#define GVC_LAYOUT_FIELDS_H

#define GVC_LAYOUT_FIELDS(X)                                                                                           \
    X(avctx_codec_tag, MEMBER(AVCodecContext, codec_tag, 4))                                                           \
    X(avctx_priv_data, MEMBER(AVCodecContext, priv_data, 8))                                                           \
    X(avctx_bit_rate, MEMBER(AVCodecContext, bit_rate, 8))                                                             \
    X(avctx_extradata, MEMBER(AVCodecContext, extradata, 8))                                                           \
    X(avctx_extradata_size, MEMBER(AVCodecContext, extradata_size, 4))                                                 \
    X(avctx_time_base, MEMBER(AVCodecContext, time_base, 8))                                                           \
    X(avctx_framerate, MEMBER(AVCodecContext, framerate, 8))                                                           \
    X(avctx_delay, MEMBER(AVCodecContext, delay, 4))                                                                   \
    X(avctx_width, MEMBER(AVCodecContext, width, 4))                                                                   \
    X(avctx_height, MEMBER(AVCodecContext, height, 4))                                                                 \
    X(avctx_coded_width, MEMBER(AVCodecContext, coded_width, 4))                                                       \
    X(avctx_coded_height, MEMBER(AVCodecContext, coded_height, 4))                                                     \
    X(avctx_sample_aspect_ratio, MEMBER(AVCodecContext, sample_aspect_ratio, 8))                                       \
    X(avctx_pix_fmt, MEMBER(AVCodecContext, pix_fmt, 4))                                                               \
    X(avctx_gop_size, MEMBER(AVCodecContext, gop_size, 4))                                                             \
    X(avctx_has_b_frames, MEMBER(AVCodecContext, has_b_frames, 4))                                                     \
    X(avctx_color_range, MEMBER(AVCodecContext, color_range, 4))                                                       \
    X(avctx_color_primaries, MEMBER(AVCodecContext, color_primaries, 4))                                               \
    X(avctx_color_trc, MEMBER(AVCodecContext, color_trc, 4))                                                           \
    X(avctx_colorspace, MEMBER(AVCodecContext, colorspace, 4))                                                         \
    X(avctx_chroma_location, MEMBER(AVCodecContext, chroma_sample_location, 4))                                        \
    X(avctx_flags, MEMBER(AVCodecContext, flags, 4))                                                                   \
    X(avctx_max_pixels, MEMBER(AVCodecContext, max_pixels, 8))                                                         \
    X(avctx_sw_pix_fmt, MEMBER(AVCodecContext, sw_pix_fmt, 4))                                                         \
    X(avctx_get_buffer2, MEMBER(AVCodecContext, get_buffer2, 8))                                                       \
    X(avctx_reordered_opaque, REORDERED_OPAQUE(AVCodecContext))                                                        \
    X(avctx_side_data, SIDE_DATA_MEMBER(coded_side_data, 8))                                                           \
    X(avctx_side_data_count, SIDE_DATA_MEMBER(nb_coded_side_data, 4))                                                  \
    X(frame_data, MEMBER(AVFrame, data, 64))                                                                           \
    X(frame_linesize, MEMBER(AVFrame, linesize, 32))                                                                   \
    X(frame_buf, MEMBER(AVFrame, buf, 64))                                                                             \
    X(frame_width, MEMBER(AVFrame, width, 4))                                                                          \
    X(frame_height, MEMBER(AVFrame, height, 4))                                                                        \
    X(frame_format, MEMBER(AVFrame, format, 4))                                                                        \
    X(frame_pict_type, MEMBER(AVFrame, pict_type, 4))                                                                  \
    X(frame_sample_aspect_ratio, MEMBER(AVFrame, sample_aspect_ratio, 8))                                              \
    X(frame_pts, MEMBER(AVFrame, pts, 8))                                                                              \
    X(frame_pkt_dts, MEMBER(AVFrame, pkt_dts, 8))                                                                      \
    X(frame_duration, MEMBER(AVFrame, FRAME_DURATION, 8))                                                              \
    X(frame_key_frame, FRAME_KEY_MEMBER)                                                                               \
    X(frame_flags, MEMBER(AVFrame, flags, 4))                                                                          \
    X(frame_color_range, MEMBER(AVFrame, color_range, 4))                                                              \
    X(frame_color_primaries, MEMBER(AVFrame, color_primaries, 4))                                                      \
    X(frame_color_trc, MEMBER(AVFrame, color_trc, 4))                                                                  \
    X(frame_colorspace, MEMBER(AVFrame, colorspace, 4))                                                                \
    X(frame_chroma_location, MEMBER(AVFrame, chroma_location, 4))                                                      \
    X(frame_opaque, MEMBER(AVFrame, opaque, 8))                                                                        \
    X(frame_opaque_ref, MEMBER(AVFrame, opaque_ref, 8))                                                                \
    X(frame_reordered_opaque, REORDERED_OPAQUE(AVFrame))                                                               \
    X(frame_private_ref, MEMBER(AVFrame, private_ref, 8))                                                              \
    X(frame_metadata, MEMBER(AVFrame, metadata, 8))                                                                    \
    X(frame_pkt_pos, FRAME_PACKET_MEMBER(pkt_pos, 8))                                                                  \
    X(frame_pkt_size, FRAME_PACKET_MEMBER(pkt_size, 4))                                                                \
    X(frame_side_data_data, MEMBER(AVFrameSideData, data, 8))                                                          \
    X(packet_side_data_data, MEMBER(AVPacketSideData, data, 8))                                                        \
    X(packet_side_data_size, MEMBER(AVPacketSideData, size, 8))                                                        \
    X(packet_side_data_type, MEMBER(AVPacketSideData, type, 4))                                                        \
    X(packet_side_data_stride, sizeof(AVPacketSideData))                                                               \
    X(packet_pts, MEMBER(AVPacket, pts, 8))                                                                            \
    X(packet_dts, MEMBER(AVPacket, dts, 8))                                                                            \
    X(packet_data, MEMBER(AVPacket, data, 8))                                                                          \
    X(packet_size, MEMBER(AVPacket, size, 4))                                                                          \
    X(packet_flags, MEMBER(AVPacket, flags, 4))                                                                        \
    X(packet_duration, MEMBER(AVPacket, duration, 8))                                                                  \
    X(packet_pos, MEMBER(AVPacket, pos, 8))                                                                            \
    X(packet_opaque, MEMBER(AVPacket, opaque, 8))                                                                      \
    X(packet_opaque_ref, MEMBER(AVPacket, opaque_ref, 8))                                                              \
    X(packet_side_data, MEMBER(AVPacket, side_data, 8))                                                                \
    X(packet_side_data_count, MEMBER(AVPacket, side_data_elems, 4))                                                    \
    X(codec_name, MEMBER(FFCodec, p.name, 8))                                                                          \
    X(codec_long_name, MEMBER(FFCodec, p.long_name, 8))                                                                \
    X(codec_type, MEMBER(FFCodec, p.type, 4))                                                                          \
    X(codec_id, MEMBER(FFCodec, p.id, 4))                                                                              \
    X(codec_capabilities, MEMBER(FFCodec, p.capabilities, 4))                                                          \
    X(codec_max_lowres, MEMBER(FFCodec, p.max_lowres, 1))                                                              \
    X(codec_priv_class, MEMBER(FFCodec, p.priv_class, 8))                                                              \
    X(codec_profiles, MEMBER(FFCodec, p.profiles, 8))                                                                  \
    X(codec_wrapper_name, MEMBER(FFCodec, p.wrapper_name, 8))                                                          \
    X(codec_supported_framerates, MEMBER(FFCodec, CODEC_LISTS supported_framerates, 8))                                \
    X(codec_pix_fmts, MEMBER(FFCodec, CODEC_LISTS pix_fmts, 8))                                                        \
    X(codec_priv_data_size, MEMBER(FFCodec, priv_data_size, 4))                                                        \
    X(codec_update_thread_context, MEMBER(FFCodec, update_thread_context, 8))                                          \
    X(codec_update_thread_context_for_user, MEMBER(FFCodec, update_thread_context_for_user, 8))                        \
    X(codec_defaults, MEMBER(FFCodec, defaults, 8))                                                                    \
    X(codec_init, MEMBER(FFCodec, init, 8))                                                                            \
    X(codec_callback, MEMBER(FFCodec, cb, 8))                                                                          \
    X(codec_close, MEMBER(FFCodec, close, 8))                                                                          \
    X(codec_flush, MEMBER(FFCodec, flush, 8))                                                                          \
    X(codec_bsfs, MEMBER(FFCodec, bsfs, 8))                                                                            \
    X(codec_hw_configs, MEMBER(FFCodec, hw_configs, 8))                                                                \
    X(codec_codec_tags, MEMBER(FFCodec, codec_tags, 8))                                                                \
    X(codec_bits_word, CODEC_BITS_WORD)                                                                                \
    X(codec_caps_internal_shift, BITS_SHIFT(caps_internal))                                                            \
    X(codec_caps_internal_width, BITS_WIDTH(caps_internal))                                                            \
    X(codec_cb_type_shift, BITS_SHIFT(cb_type))                                                                        \
    X(codec_cb_type_width, BITS_WIDTH(cb_type))                                                                        \
    X(codec_color_ranges_shift, COLOR_RANGES_SHIFT)                                                                    \
    X(codec_color_ranges_width, COLOR_RANGES_WIDTH)                                                                    \
    X(codec_size, sizeof(FFCodec))                                                                                     \
    X(descriptor_id, MEMBER(AVCodecDescriptor, id, 4))                                                                 \
    X(descriptor_type, MEMBER(AVCodecDescriptor, type, 4))                                                             \
    X(descriptor_name, MEMBER(AVCodecDescriptor, name, 8))                                                             \
    X(descriptor_long_name, MEMBER(AVCodecDescriptor, long_name, 8))                                                   \
    X(descriptor_props, MEMBER(AVCodecDescriptor, props, 4))                                                           \
    X(descriptor_mime_types, MEMBER(AVCodecDescriptor, mime_types, 8))                                                 \
    X(descriptor_profiles, MEMBER(AVCodecDescriptor, profiles, 8))                                                     \
    X(descriptor_size, sizeof(AVCodecDescriptor))                                                                      \
    X(class_name, MEMBER(AVClass, class_name, 8))                                                                      \
    X(class_item_name, MEMBER(AVClass, item_name, 8))                                                                  \
    X(class_option, MEMBER(AVClass, option, 8))                                                                        \
    X(class_version, MEMBER(AVClass, version, 4))                                                                      \
    X(class_size, sizeof(AVClass))                                                                                     \
    X(option_name, MEMBER(AVOption, name, 8))                                                                          \
    X(option_help, MEMBER(AVOption, help, 8))                                                                          \
    X(option_offset, MEMBER(AVOption, offset, 4))                                                                      \
    X(option_type, MEMBER(AVOption, type, 4))                                                                          \
    X(option_default, MEMBER(AVOption, default_val, 8))                                                                \
    X(option_min, MEMBER(AVOption, min, 8))                                                                            \
    X(option_max, MEMBER(AVOption, max, 8))                                                                            \
    X(option_flags, MEMBER(AVOption, flags, 4))                                                                        \
    X(option_size, sizeof(AVOption))                                                                                   \
    X(outputformat_query_codec, MEMBER(MUXER, query_codec, 8))                                                         \
    X(type_int64, AV_OPT_TYPE_INT64)                                                                                   \
    X(type_double, AV_OPT_TYPE_DOUBLE)                                                                                 \
    X(type_string, AV_OPT_TYPE_STRING)                                                                                 \
    X(option_flags_encoder, AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_ENCODING_PARAM)                                      \
    X(option_flags_decoder, AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_DECODING_PARAM)                                      \
    X(capabilities, AV_CODEC_CAP_DELAY | AV_CODEC_CAP_OTHER_THREADS)                                                   \
    X(caps_internal,                                                                                                   \
      FF_CODEC_CAP_AUTO_THREADS | FF_CODEC_CAP_INIT_CLEANUP | FF_CODEC_CAP_SETS_PKT_DTS | CAP_INIT_THREADSAFE)         \
    X(cb_type_decode, FF_CODEC_CB_TYPE_DECODE)                                                                         \
    X(cb_type_encode, FF_CODEC_CB_TYPE_ENCODE)                                                                         \
    X(descriptor_props_lossy, AV_CODEC_PROP_LOSSY)                                                                     \
    X(media_type_video, AVMEDIA_TYPE_VIDEO)                                                                            \
    X(color_ranges, AVCOL_RANGE_MPEG | AVCOL_RANGE_JPEG)                                                               \
    X(default_gop_size, 12)                                                                                            \
    X(picture_type_i, AV_PICTURE_TYPE_I)                                                                               \
    X(picture_type_p, AV_PICTURE_TYPE_P)                                                                               \
    X(frame_flag_key, FRAME_FLAG_KEY)                                                                                  \
    X(frame_duration_valid, FRAME_DURATION_VALID)                                                                      \
    X(packet_flag_key, AV_PKT_FLAG_KEY)                                                                                \
    X(flag_copy_opaque, FLAG_COPY_OPAQUE)                                                                              \
    X(decode_data_size, sizeof(FrameDecodeData))                                                                       \
    X(decode_data_is_refstruct, DECODE_DATA_IS_REFSTRUCT)                                                              \
    X(packet_strings_metadata, AV_PKT_DATA_STRINGS_METADATA)                                                           \
    X(side_data_rotation, SIDE_DATA_TYPES(DISPLAYMATRIX))                                                              \
    X(side_data_mastering_display, SIDE_DATA_TYPES(MASTERING_DISPLAY_METADATA))                                        \
    X(side_data_light_level, SIDE_DATA_TYPES(CONTENT_LIGHT_LEVEL))                                                     \
    X(side_data_stereo, SIDE_DATA_TYPES(STEREO3D))                                                                     \
    X(side_data_spherical, SIDE_DATA_TYPES(SPHERICAL))                                                                 \
    X(side_data_icc, SIDE_DATA_TYPES(ICC_PROFILE))                                                                     \
    X(side_data_viewing, SIDE_DATA_VIEWING)                                                                            \
    X(side_data_displays, SIDE_DATA_DISPLAYS)                                                                          \
    X(side_data_captions, SIDE_DATA_TYPES(A53_CC))                                                                     \
    X(side_data_afd, SIDE_DATA_TYPES(AFD))                                                                             \
    X(side_data_hdr10_plus, SIDE_DATA_PAIR(DYNAMIC_HDR10_PLUS, DYNAMIC_HDR_PLUS))                                      \
    X(side_data_hdr_app5, SIDE_DATA_HDR_APP5)                                                                          \
    X(side_data_timecode, SIDE_DATA_TYPES(S12M_TIMECODE))                                                              \
    X(side_data_skip, SIDE_DATA_TYPES(SKIP_SAMPLES))                                                                   \
    X(input_padding, AV_INPUT_BUFFER_PADDING_SIZE)

#endif
