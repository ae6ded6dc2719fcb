# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc encode` with a job folder: chains are coded by several workers, and the same command goes on after any end."""

import errno
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gvc_container.files import check_readable_again, is_stream, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.source import VideoSource

from ..errors import EngineError, GvcError, MediaError, OptionError, sentence
from ..fleet.driver import Driver, independent
from ..fleet.folder import JobFolder
from ..fleet.join import joined, shown_digest
from ..fleet.plan import Plan
from ..fleet.reading import DECODER_THREADS
from ..media import VideoFormat
from ..options import ENCODER_OPTIONS, parse_options
from ..prior import ModelOptions
from ..priors import open_prior
from ..priors.auto import open_chosen
from .encode import check_verify, size_of, tell
from .report import Report
from .workers import WorkerChoice
from .writing import check_decoding, write_film

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Fleet:
    """How chains are coded apart.

    workers: workers that code chains; one process if it names none.
    jobs: folder of jobs. Default: beside the output.
    keep: whether the folder is kept after success. Default: not.
    """

    workers: WorkerChoice
    jobs: Path | None = None
    keep: bool = False

    def folder(self, target: Path) -> Path:
        """Return the path of the folder. Raises OptionError if none is given for an output without a place."""
        if self.jobs:
            return self.jobs
        if is_stream(target):
            raise OptionError(f"{target} is no file beside which jobs can be kept; name a folder with --jobs")
        return target.with_name(f"{target.name}.jobs")


def encode_chains(
    source: str,
    target: Path,
    options: Mapping[str, object],
    report: Report,
    fleet: Fleet,
    *,
    overwrite: bool,
    audio: bool,
    verify: bool,
) -> None:
    """Encode a file as gvc.cli.encode.encode does, with a job folder, which is removed after success.

    Whatever ends this, chains that are done stay done for the next call with the same arguments.
    Raises GvcError and OSError.
    """
    started = time.monotonic()
    check_readable_again(Path(source))
    check_verify(verify, target)
    independent(options)
    place = fleet.folder(target)
    with (
        _room_asked_for(),
        output_file(target, overwrite, source) as path,
        ErrorLog() as log,
        VideoSource(source, report.warn, DECODER_THREADS) as video,
        _job_folder(place) as folder,
    ):
        if not Path(source).is_file():
            raise OptionError(f"{source} is no file that several workers could read; write it to a file first")
        messages = log.take(video.components)

        def is_damaged() -> bool:
            found = log.take(video.components)
            messages.extend(found)
            return bool(found or video.damage)

        settled = _settled(options, video.format, report)
        with fleet.workers.opened(settled) as workers:
            driver = Driver(folder, video, settled, workers, report, is_damaged=is_damaged, reconstruct=verify)
            with _kept(driver, place, report):
                plan = _coded(driver, place)
        with _kept(driver, place, report):
            packets = report.progress(joined(folder, plan), "join", sum(chain.count for chain in plan.chains), size_of)
            header = bytes.fromhex(plan.identity.header)
            film = write_film(path, video, header, packets, report=report, log=log, audio=audio)
            if verify:
                check_decoding(path, shown_digest(folder, plan), options)
        report.warn_of_damage(source, messages + film.messages)
    if not fleet.keep:
        with JobFolder(place, create=False) as folder:
            if not folder.remove():
                report.say(f"{place} is kept for another run that works there")
    tell(report, target, film, time.monotonic() - started, verify)
    if plan.damaged or film.messages or film.damaged:
        raise MediaError(f"{source} is damaged; what could be decoded was encoded")


def _coded(driver: Driver, place: Path) -> Plan:
    """Have all chains coded and return the plan. Raises EngineError if some failed."""
    if failures := driver.run():
        count = f"{len(failures)} of {len(driver.plan.chains)} chains"
        advice = f"`gvc jobs {place}` shows why, and the same command tries them again"
        raise EngineError(f"{count} could not be coded; {advice}")
    return driver.plan


def _settled(options: Mapping[str, object], video: VideoFormat, report: Report) -> dict[str, object]:
    """Return the options with the prior that `auto` chooses here, so that workers need not choose alike."""
    if options.get("prior") != "auto":
        return dict(options)
    chosen = open_chosen("auto", video, ModelOptions.of(parse_options(ENCODER_OPTIONS, options)), open_prior)
    report.say(chosen.reason)
    return {**options, "prior": chosen.prior.name.partition("/")[0]}


@contextmanager
def _job_folder(place: Path) -> Iterator[JobFolder]:
    """Open a job folder; remove it again if nothing has come into it."""
    try:
        with JobFolder(place) as folder:
            yield folder
    finally:
        with suppress(OSError):
            place.rmdir()


@contextmanager
def _kept(driver: Driver, place: Path, report: Report) -> Iterator[None]:
    """Say what is kept if the block ends too early."""
    try:
        yield
    except BaseException:
        if driver.done:
            report.say(f"{driver.state} and kept in {place}; the same command goes on there")
        raise


@contextmanager
def _room_asked_for() -> Iterator[None]:
    """Say what to do about a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise GvcError(f"{sentence(error)}; make room there, then give the same command again") from error
        raise
