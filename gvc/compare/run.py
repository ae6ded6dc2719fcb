# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""One pass over several films: align, measure, hand on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from ..errors import MediaError
from ..metrics import Frames, Measurement
from .align import misfits, moments
from .film import Film, Frame, like
from .summary import Comparison, Figures

BATCH = 8  # moments that are measured together
Item = TypeVar("Item")


class Taker(Protocol):
    """Makes something of the pictures while they pass."""

    def add(self, frame: int, seconds: Fraction, pictures: list[np.ndarray]) -> None:
        """Take the films' pictures, uint8 [H, W, 3], of the frame-th compared moment."""


def compare(
    films: Sequence[Film],
    takers: Sequence[Taker],
    *,
    start: Fraction,
    frames: int | None,
    metrics: Sequence[str],
    every: int,
    watch: Callable[[Iterator[list]], Iterator],
) -> Comparison:
    """Compare films with the first of them.

    Args:
        takers: are given all pictures.
        start: seconds of the reference to leave out.
        frames: how many frames of the reference to compare, None: all.
        metrics, every: as for gvc.metrics.Measurement.
        watch: passes the items of lists on, and shows how far they are.
    Raises GvcError, OSError.
    """
    reference, *others = films
    notes = misfits(films)
    if start or frames:
        notes.append("bytes, kb/s and bits per pixel are those of the whole files")
    followed = moments(reference.frames(start), [film.frames(start) for film in others], 1 / reference.rate)
    seconds, lost = [], 0
    with ExitStack() as stack:
        meters = [stack.enter_context(Measurement(metrics, every)) for _ in others]
        for batch in _batches(watch([moment] for moment in islice(followed, frames))):
            whole = [(frame, *rest) for frame, rest in batch if None not in rest]
            lost += len(batch) - len(whole)
            if whole:
                pictures = _pictures(whole)
                for meter, other in zip(meters, pictures[1:], strict=True):
                    meter.add(pictures[0], other)
                for moment, images in zip(whole, zip(*(p.rgb for p in pictures), strict=True), strict=True):
                    for taker in takers:
                        taker.add(len(seconds), moment[0].seconds, list(images))
                    seconds.append(moment[0].seconds)
        scores = [meter.finish() for meter in meters]
    if not seconds:
        raise MediaError(
            "no frame is in all of the files at the same time"
            + (f" ({'; '.join(notes)})" if notes else f"; none of them may last to {float(start):g} s")
        )
    if lost:
        notes.append(f"{lost} of {lost + len(seconds)} frames of the reference are not in every file and are left out")
    notes += dict.fromkeys(sentence for score in scores for sentence in score.missing.values())
    names = names_of([film.path for film in films])
    figures = [_figures(*facts) for facts in zip(films, names, [None, *scores], strict=True)]
    return Comparison(figures, seconds, notes)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each file: without its folder, if that is enough to tell them apart."""
    short = [path.name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH)):
        yield batch


def _pictures(batch: list[tuple[Frame, ...]]) -> list[Frames]:
    """Return the pictures of each film, in the size of the reference's."""
    models = [moment[0].picture for moment in batch]
    films = zip(*batch, strict=True)
    return [Frames.of([like(f.picture, m) for f, m in zip(film, models, strict=True)]) for film in films]


def _figures(film: Film, name: str, scores) -> Figures:
    wide, high = film.size
    return Figures(
        name,
        str(film.path),
        wide,
        high,
        film.rate,
        film.track.frames,
        film.track.file_bytes,
        film.kbps,
        film.bpp,
        scores,
    )
