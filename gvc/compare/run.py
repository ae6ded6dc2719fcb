# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""One pass over several films that aligns and measures them and passes the pictures to consumers."""

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


class Consumer(Protocol):
    """An object that gets all compared pictures, such as the gallery of a page or the writer of a video."""

    def add(self, frame: int, seconds: Fraction, pictures: list[np.ndarray]) -> None:
        """Take the pictures of all films, uint8 [H, W, 3], at the moment number `frame`."""


def compare(
    films: Sequence[Film],
    consumers: Sequence[Consumer],
    *,
    start: Fraction,
    frames: int | None,
    metrics: Sequence[str],
    every: int,
    watch: Callable[[Iterator[list]], Iterator],
) -> Comparison:
    """Compare films with the first one, the reference.

    Args:
        films: opened films.
        consumers: objects that get all compared pictures.
        start: seconds at the beginning of the reference to leave out.
        frames: number of frames of the reference to compare; None = all.
        metrics, every: arguments of gvc.metrics.Measurement.
        watch: function that shows progress; it yields the items of the lists that it is given.
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
                    for consumer in consumers:
                        consumer.add(len(seconds), moment[0].seconds, list(images))
                    seconds.append(moment[0].seconds)
        scores = [meter.finish() for meter in meters]
    if not seconds:
        raise MediaError(
            "no frame is in all of the files at the same time"
            + (f" ({'; '.join(notes)})" if notes else f"; perhaps none of them is longer than {float(start):g} s")
        )
    if lost:
        notes.append(f"{lost} of {lost + len(seconds)} frames of the reference are not in every file and are left out")
    notes += dict.fromkeys(sentence for score in scores for sentence in score.missing.values())
    names = names_of([film.path for film in films])
    figures = [_figures(*facts) for facts in zip(films, names, [None, *scores], strict=True)]
    return Comparison(figures, seconds, notes)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: the file name if all of these differ, otherwise the whole path."""
    short = [path.name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH)):
        yield batch


def _pictures(batch: list[tuple[Frame, ...]]) -> list[Frames]:
    """Return the pictures of each film, converted to the size and sample range of the reference."""
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
