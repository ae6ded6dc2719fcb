#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# VLC 3.0.24 (Debian 12): copying a film of 24 pictures to another container by its stream output, without transcoding.
#
# Expected: the copy has all 24 packets.
# Seen: VLC's own muxers drop the end without a word: 23 packets in AVI and MP4, 20 in MPEG-TS. With libavformat's muxer
# for Matroska all 24 arrive, so they do reach the stream output.
#
# Needs Debian 12's vlc-bin, vlc-plugin-base and ffmpeg, and for root, which VLC refuses, user namespaces. Exits 1 if this
# changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if [ "$(id -u)" = 0 ]; then user="unshare --user --map-user=1000 --map-group=1000"; else user=; fi
export HOME="$folder"
packets() { # FILE
    ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$1" | head -n 1
}
copy() { # MUXER FILE EXPECTED_PACKETS
    $user timeout 60 vlc -I dummy -q film.mkv vlc://quit --sout "#std{access=file,mux=$1,dst=$2}" >"$2.log" 2>&1
    echo "$1: $(packets "$2") of $(packets film.mkv) packets"
    [ "$(packets "$2")" = "$3" ]
}
$user vlc --version 2>/dev/null | head -n 1
ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=64x64:rate=25 -frames:v 24 -c:v libx264 -bf 0 film.mkv
copy avi film.avi 23
copy mp4 film.mp4 23
copy ts film.ts 20
copy 'avformat{mux=matroska}' copy.mkv 24
