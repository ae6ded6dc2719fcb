#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Build a small FFmpeg with GVC and ffplay, and install it into PREFIX.
# usage: tools/build_ffmpeg.sh TARBALL PATCHES LIBGVC PREFIX
#
# LIBGVC is the folder with libgvc.so and pkgconfig/gvc.pc. Needs a C compiler, make, patch and pkg-config; uses nasm
# (for speed), zlib (PNG), SDL2 (ffplay) and x264 (H.264 encoding) if they are installed. Environment variables: JOBS is
# the number of parallel compilers; KEEP_WORK=1 keeps the build tree in PREFIX/work.
set -eu
tarball=$1
patches=$(cd "$2" && pwd)
libgvc=$(cd "$3" && pwd)
mkdir -p "$4"
prefix=$(cd "$4" && pwd)
work=$prefix/work

say() { echo "ffmpeg: $*"; }

run() { # NAME COMMAND...: keep the output in a file and show its end if the command fails
    name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 || {
        tail -n 20 "$work/$name.log" >&2
        say "$name failed; all of its output is in $work/$name.log" >&2
        exit 1
    }
}

for program in cc make patch pkg-config; do
    command -v $program >/dev/null 2>&1 || {
        say "building needs $program and it was not found (Debian: apt-get install gcc make patch pkg-config)" >&2
        exit 1
    }
done

say "unpacking $(basename "$tarball")"
rm -rf "$work"
mkdir -p "$work"
tar -xf "$tarball" -C "$work" --strip-components=1
for patch in "$patches"/*.patch; do
    run patch patch -d "$work" -p1 --fuzz=0 -i "$patch"
done

PKG_CONFIG_PATH=$libgvc/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
set -- --prefix="$prefix" --enable-shared --disable-static --extra-ldflags="-Wl,-rpath,$prefix/lib:$libgvc" \
    --disable-doc --disable-debug --disable-network --disable-autodetect --disable-everything --enable-libgvc
command -v ccache >/dev/null 2>&1 && set -- "$@" --cc="ccache cc"
command -v nasm >/dev/null 2>&1 || set -- "$@" --disable-x86asm
if pkg-config --exists zlib; then set -- "$@" --enable-zlib; fi
if pkg-config --exists x264; then set -- "$@" --enable-gpl --enable-libx264 --enable-encoder=libx264; fi
if pkg-config --exists sdl2; then
    set -- "$@" --enable-sdl2
else
    say "no ffplay, for SDL2 is missing (Debian: apt-get install libsdl2-dev)"
    set -- "$@" --disable-ffplay
fi

video=h264,hevc,vp8,vp9,mpeg4,mpeg2video,mjpeg,prores,png,ffv1,rawvideo,wrapped_avframe
audio=aac,ac3,mp3,opus,vorbis,flac,pcm_s16le,pcm_s24le,pcm_f32le
set -- "$@" \
    --enable-decoder="libgvc,$video,$audio,srt,subrip,ass" \
    --enable-encoder=libgvc,ffv1,rawvideo,wrapped_avframe,mpeg4,mjpeg,png,aac,flac,pcm_s16le,subrip,ass \
    --enable-parser=h264,hevc,vp8,vp9,mpeg4video,mpegvideo,mjpeg,png,aac,ac3,mpegaudio,opus,vorbis,flac \
    --enable-bsf=null,noise,setts,dump_extradata,extract_extradata,h264_mp4toannexb,hevc_mp4toannexb \
    --enable-bsf=aac_adtstoasc,vp9_superframe,vp9_superframe_split \
    --enable-demuxer=matroska,mov,avi,nut,mpegts,ogg,ivf,h264,hevc,yuv4mpegpipe,rawvideo,image2,concat \
    --enable-demuxer=wav,mp3,aac,flac,srt,ass,ffmetadata \
    --enable-muxer=matroska,webm,mov,mp4,avi,nut,mpegts,yuv4mpegpipe,rawvideo,image2,segment,tee,null \
    --enable-muxer=wav,flac,srt,ass,ffmetadata,md5,hash,framemd5,framehash \
    --enable-filter=scale,format,fps,setpts,setsar,setparams,select,trim,crop,pad,transpose,hflip,vflip,rotate,null,split \
    --enable-filter=hstack,overlay,concat,psnr,ssim,showinfo,testsrc,testsrc2,color,sine \
    --enable-filter=aformat,aresample,atrim,asetpts,anull,volume \
    --enable-protocol=file,pipe,fd --enable-indev=lavfi

cd "$work"
say "configuring $(cat RELEASE)"
run configure ./configure "$@"
say "compiling, which takes some minutes"
run make nice make -j"${JOBS:-$(nproc)}"
run install make install
cd "$prefix"
[ -n "${KEEP_WORK:-}" ] || rm -rf "$work"
say "$prefix/bin/ffmpeg is ready"
