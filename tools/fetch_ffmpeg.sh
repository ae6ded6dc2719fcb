#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetch the source of the newest FFmpeg RELEASE.* (5.1, 7.1 ...) that Debian offers. Prints the tarball's path.
# usage: tools/fetch_ffmpeg.sh RELEASE FOLDER
#
# The download is done by apt, which checks the signatures. It needs no root and does not change the system's package
# lists: all state is kept in FOLDER. The variable DEBIAN_MIRROR names a mirror other than the system's.
set -eu
release=$1
folder=$2

newest_tarball() {
    find "$folder" -maxdepth 1 \( -name "ffmpeg_$release.*.orig.tar.*z" -o -name "ffmpeg-$release*.tar.*z" \) |
        sort -V | tail -1
}

by_hand="put ffmpeg-$release.x.tar.xz from https://ffmpeg.org/releases into $folder and try again"
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
folder=$(cd "$folder" && pwd)
if [ -z "$(newest_tarball)" ]; then
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    if ! command -v apt-get >/dev/null 2>&1 || [ ! -f $keyring ]; then
        echo "FFmpeg's source is fetched by apt with the package debian-archive-keyring; without them, $by_hand" >&2
        exit 1
    fi
    mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 2>/dev/null | grep '/debian/*$' | head -1)}
    for suite in bookworm trixie forky sid; do
        echo "deb-src [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $suite main"
    done >"$folder/sources.list"

    apt() { # COMMAND ARGUMENT... with a state of its own
        command=$1
        shift
        "$command" -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root "$@"
    }
    apt apt-get update >&2
    version=$(apt apt-cache showsrc --only-source ffmpeg | sed -n 's/^Version: //p' |
        grep -E "^([0-9]+:)?$release\." | sort -V | tail -1)
    if [ -z "$version" ]; then
        echo "Debian offers no FFmpeg $release any more; $by_hand" >&2
        exit 1
    fi
    (cd "$folder" && apt apt-get source --download-only --tar-only "ffmpeg=$version" >&2)
fi
newest_tarball
