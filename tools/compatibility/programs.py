# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that are started by a command.

Where a program shows or converts pictures, it is run twice, with the GVC film and with the same pictures in FFV1. Then
whatever it does to pictures is the same, and so must be what comes out.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from .kit import FRAMES, GVC, KEYINT, Kit, TrialError, as_user, version_of

PLAYERS, EDITORS, FILES = "Players", "Converters and editors", "Servers, and tools that look into files"

Outcome = Callable[["Program", Kit], str]


@dataclass(frozen=True)
class Program:
    """A program and how it is tried.

    group: heading under which it stands.
    name: its name.
    package: Debian package whose version is given.
    command: what is run, as one types it, with FILM and OUT for the names of files.
    outcome: function that runs it and returns what happened.
    how: what users have to know.
    out: name of the file that it writes.
    not_root: whether it refuses to run as root.
    """

    group: str
    name: str
    package: str
    command: str
    outcome: Outcome
    how: str = ""
    out: str = "out.mkv"
    not_root: bool = False

    @property
    def shown(self) -> str:
        """What is run, as a user types it."""
        return f"`{self.command.replace('FILM', 'film.mkv').replace('OUT', self.out)}`"

    def words(self, film: str) -> list[str]:
        """Return the command for a film."""
        words = [word.replace("FILM", film).replace("OUT", self.out) for word in shlex.split(self.command)]
        words = [*GVC, *words[1:]] if words[0] == "gvc" else words
        return [*as_user(), *words] if self.not_root else words

    def run(self, kit: Kit, film: str = "film.mkv") -> str:
        """Run it for a film; return all that it says. Raises TrialError."""
        (kit.folder / self.out).unlink(missing_ok=True)
        done = kit.run(self.words(film))
        return done.stdout + done.stderr

    def version(self) -> str | None:
        return version_of(self.package)

    def attempt(self, kit: Kit) -> str:
        return self.outcome(self, kit)


def compare(found: list[str], whole: list[str]) -> str:
    """Return a sentence about pictures. Raises TrialError if they are not those of FFV1."""
    if found != whole or not found:
        same = sum(a == b for a, b in zip(found, whole, strict=False))
        raise TrialError(f"{len(found)} pictures, of which {same} are right")
    if len(found) < FRAMES:
        return f"{len(found)} of {FRAMES} pictures, as many as of other codecs, all right"
    return f"all {FRAMES} pictures, all right"


def pictures(program: Program, kit: Kit) -> str:
    """Compare the pictures in the files that are written."""
    found = []
    for film in ("film.mkv", "lossless.mkv"):
        program.run(kit, film)
        found.append(kit.hashes(kit.folder / program.out))
    return compare(*found)


def samples(program: Program, kit: Kit) -> str:
    """Compare files of raw pictures."""
    found = []
    for film in ("film.mkv", "lossless.mkv"):
        program.run(kit, film)
        found.append((kit.folder / program.out).read_bytes())
    if found[0] != found[1] or not found[0]:
        raise TrialError("other pictures")
    return f"all {FRAMES} pictures, all right"


def one_picture(program: Program, kit: Kit) -> str:
    """Compare the one picture that is written."""
    pictures(program, kit)
    return "the same picture as of FFV1"


def checksums(program: Program, kit: Kit) -> str:
    """Compare the checksums that FFmpeg's filter showinfo prints."""
    return compare(*(re.findall(r"checksum:(\w+)", program.run(kit, film)) for film in ("film.mkv", "lossless.mkv")))


def packets(program: Program, kit: Kit) -> str:
    """Compare the packets of the film and of what is written."""
    program.run(kit)
    whole, found = (kit.hashes(path, "-c", "copy") for path in (kit.film, kit.folder / program.out))
    if found != whole:
        raise TrialError("the packets are not the same")
    return "a GVC track with the same packets"


def says(pattern: str) -> Outcome:
    """Return an outcome: the lines that match a pattern. Without any it is a failure."""

    def outcome(program: Program, kit: Kit) -> str:
        found = re.findall(pattern, program.run(kit), re.MULTILINE)
        if not found:
            raise TrialError(f"nothing like {pattern}")
        return "; ".join(" ".join(line.split()) for line in dict.fromkeys(found))

    return outcome


def last_gop(program: Program, kit: Kit) -> str:
    """Check that the part that is written has the packets from the second keyframe to the end."""
    program.run(kit)
    whole, found = (kit.hashes(path, "-c", "copy") for path in (kit.film, kit.folder / program.out))
    if found != whole[KEYINT:]:
        raise TrialError(f"{len(found)} packets, which are not those from the keyframe on")
    return f"the {len(found)} packets from the keyframe on"
