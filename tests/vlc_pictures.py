# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plays a film with libVLC and prints a line for each picture that it shows: format, size and MD5 of the planes.

usage: vlc_pictures.py FILM STEP... [--OPTION_OF_VLC...]

    watch=COUNT  play until another COUNT pictures have been shown
    step=COUNT   pause, and step to the next picture until another COUNT pictures have been shown
    seek=MS      go to a time
    kill         end the engine

A picture that is shown again without another one in between counts once. Each step also ends with the film.
"""

import ctypes
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

PATIENCE = 20  # seconds after which no further picture is expected
# Name, samples of chroma for each two of luma along both axes, and bytes a sample of VLC's formats
CHROMAS = {b"I420": (1, 1), b"I0AL": (1, 2), b"I444": (2, 1), b"I4AL": (2, 2), b"GBR8": (2, 1), b"GBAL": (2, 2)}
ENDED = (6, 7)  # libvlc_Ended, libvlc_Error
INTERVAL = 0.1  # seconds after which the film may have ended, or VLC may have forgotten a step

Number, Pointer = ctypes.POINTER(ctypes.c_uint), ctypes.c_void_p
Setup = ctypes.CFUNCTYPE(ctypes.c_uint, Pointer, ctypes.POINTER(ctypes.c_char * 4), Number, Number, Number, Number)
Lock = ctypes.CFUNCTYPE(Pointer, Pointer, ctypes.POINTER(Pointer))
Show = ctypes.CFUNCTYPE(None, Pointer, Pointer)


class Screen:
    """Memory that VLC shows its pictures in."""

    def __init__(self):
        self.shown: list[str] = []
        self.changed = threading.Condition()
        self._name = ""
        self._planes: list[ctypes.Array] = []
        self.callbacks = Setup(self._setup), Lock(self._lock), Show(self._show)

    def _setup(self, _, chroma, width, height, pitches, lines) -> int:
        name, size = bytes(chroma.contents), (width[0], height[0])
        share, sample = CHROMAS[name]
        self._name = f"{name.decode()} {size[0]}x{size[1]}"
        shapes = [size, *2 * [tuple(-(-length * share // 2) for length in size)]]
        for i, (columns, rows) in enumerate(shapes):
            pitches[i], lines[i] = columns * sample, rows
        self._planes = [ctypes.create_string_buffer(columns * rows * sample) for columns, rows in shapes]
        return 1

    def _lock(self, _, planes) -> None:
        for i, plane in enumerate(self._planes):
            planes[i] = ctypes.addressof(plane)

    def _show(self, *_) -> None:
        line = f"{self._name} {hashlib.md5(b''.join(plane.raw for plane in self._planes)).hexdigest()}"
        with self.changed:
            if [line] != self.shown[-1:]:
                self.shown.append(line)
                print(line, flush=True)
                self.changed.notify_all()


class Player:
    """A film that is being played."""

    def __init__(self, film: str, options: list[str]):
        self._vlc = vlc = ctypes.CDLL("libvlc.so.5")
        for function in (vlc.libvlc_new, vlc.libvlc_media_new_path, vlc.libvlc_media_player_new_from_media):
            function.restype = Pointer
        arguments = [option.encode() for option in ("--ignore-config", "--no-drop-late-frames", *options)]
        self._library = Pointer(vlc.libvlc_new(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments)))
        media = Pointer(vlc.libvlc_media_new_path(self._library, film.encode()))
        self._player = Pointer(vlc.libvlc_media_player_new_from_media(media))
        vlc.libvlc_media_release(media)
        self._screen = Screen()
        setup, lock, show = self._screen.callbacks
        vlc.libvlc_video_set_format_callbacks(self._player, setup, None)
        vlc.libvlc_video_set_callbacks(self._player, lock, None, show, None)
        vlc.libvlc_media_player_play(self._player)

    def run(self, step: str) -> None:
        name, _, value = step.partition("=")
        if name == "seek":
            self._vlc.libvlc_media_player_set_time(self._player, ctypes.c_int64(int(value)))
            return
        if name == "kill":
            for children in Path("/proc/self/task").glob("*/children"):
                for engine in children.read_text().split():
                    os.kill(int(engine), signal.SIGKILL)
            return
        wanted, changed = len(self._screen.shown) + int(value), time.monotonic()
        with self._screen.changed:
            while len(self._screen.shown) < wanted and not self._ended and time.monotonic() < changed + PATIENCE:
                if name == "step":
                    self._vlc.libvlc_media_player_next_frame(self._player)
                if self._screen.changed.wait(INTERVAL):
                    changed = time.monotonic()

    @property
    def _ended(self) -> bool:
        return self._vlc.libvlc_media_player_get_state(self._player) in ENDED

    def close(self) -> None:
        self._vlc.libvlc_media_player_stop(self._player)
        self._vlc.libvlc_media_player_release(self._player)
        self._vlc.libvlc_release(self._library)


def main() -> None:
    film, *words = sys.argv[1:]
    player = Player(film, [word for word in words if word.startswith("--")])
    for step in words:
        if not step.startswith("--"):
            player.run(step)
    player.close()


if __name__ == "__main__":
    main()
