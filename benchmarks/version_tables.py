# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The tables of speed beside another version of GVC, other encoders and other ways into GVC."""

from collections.abc import Callable

from benchmarks.codecs import CODECS
from benchmarks.table import MIB, SIDES, Table
from benchmarks.versions import BITRATE, FULL_HD, HD, ONE_THREAD, OTHER, PLAIN, SMALL, THIS, TWO_THREADS, Job

WAYS = {"Python": "Python API", "plugin": "ffmpeg with the plugin"}
Value = Callable[[str], float]  # A function: name of a version -> figure


def version_tables(found: dict) -> list[Table]:
    """Return the tables of what `benchmarks.versions` has measured."""
    by_ffmpeg = [_bridge(found["bridge"])] if found["bridge"] else []
    return [_versions(found), _rivals(found), *by_ffmpeg, _scaling(found["scaling"])]


def _versions(found: dict) -> Table:
    versions = [THIS, OTHER] if found["other"] else [THIS]
    rows = [_row(name, digits, value, versions) for name, digits, value in _figures(found)]
    head = ["", "this", *([found["other"], "this / it"] if found["other"] else [])]
    about = f"Whole processes, start-up included, in turns; medians of {found['runs']} runs. {_material(found['jobs'])}"
    return Table("Speed beside another version" if found["other"] else "Speed of whole processes", about, head, rows)


def _figures(found: dict) -> list[tuple[str, int, Value]]:
    """Return the rows of the table: name, digits after the point, value by version."""

    def cost(job: Job, side: str, figure: str) -> Value:
        return lambda version: found["jobs"][job.name][side][version][figure]

    def rate(job: Job, side: str) -> Value:
        entry = found["jobs"][job.name]
        return lambda version: entry["pictures"] / entry[side][version]["seconds"]

    def peak(job: Job, side: str) -> Value:
        return lambda version: cost(job, side, "peak_bytes")(version) / MIB

    def gain(side: str) -> Value:
        one, two = cost(ONE_THREAD, side, "seconds"), cost(TWO_THREADS, side, "seconds")
        return lambda version: one(version) / two(version)

    first = found["first"]
    return [
        (f"encode {HD}, s", 2, cost(PLAIN, "encode", "seconds")),
        (f"encode {HD}, processor s", 2, cost(PLAIN, "encode", "processor_seconds")),
        (f"encode {HD}, MiB", 0, peak(PLAIN, "encode")),
        (f"decode {HD}, pictures/s", 1, rate(PLAIN, "decode")),
        (f"decode {HD}, processor s", 2, cost(PLAIN, "decode", "processor_seconds")),
        (f"decode {HD}, MiB", 0, peak(PLAIN, "decode")),
        (f"file {HD}, bytes", 0, lambda version: found["jobs"][PLAIN.name]["bytes"][version]),
        (f"encode {FULL_HD.size}, pictures/s", 2, rate(FULL_HD, "encode")),
        (f"encode {FULL_HD.size}, MiB", 0, peak(FULL_HD, "encode")),
        (f"decode {FULL_HD.size}, pictures/s", 1, rate(FULL_HD, "decode")),
        (f"decode {FULL_HD.size}, MiB", 0, peak(FULL_HD, "decode")),
        (f"encode {SMALL.size}, s", 2, cost(SMALL, "encode", "seconds")),
        (f"decode {SMALL.size}, s", 2, cost(SMALL, "decode", "seconds")),
        (f"encode {BITRATE.name}, pictures/s", 2, rate(BITRATE, "encode")),
        (f"encode {BITRATE.name}, MiB", 0, peak(BITRATE, "encode")),
        (f"file {BITRATE.name}, bytes", 0, lambda version: found["jobs"][BITRATE.name]["bytes"][version]),
        *([(f"first picture of a {HD} file, s", 2, lambda version: first[version]["seconds"])] if first else []),
        *((f"{side} {HD}, one thread / two threads", 2, gain(side)) for side in SIDES),
    ]


def _row(name: str, digits: int, value: Value, versions: list[str]) -> list[str]:
    values = [value(version) for version in versions]
    ratio = [f"{values[0] / values[1]:.2f}"] if len(values) > 1 else []
    return [name, *(f"{value:.{digits}f}" for value in values), *ratio]


def _material(jobs: dict[str, dict]) -> str:
    """Return sentences on the clips of the jobs."""
    clips = dict.fromkeys((entry["job"].split()[0], entry["clip"], entry["scaled"]) for entry in jobs.values())
    used = ", ".join(f"{size} is {clip}{', scaled' * scaled}" for size, clip, scaled in clips)
    repeated = [f"{name} ({entry['pictures']} pictures)" for name, entry in jobs.items() if entry["repeated"]]
    return f"Clips: {used}." + (f" Repeated, since the clip is shorter: {', '.join(repeated)}." if repeated else "")


def _rivals(found: dict) -> Table:
    job = found["jobs"][PLAIN.name]
    ours = {"bytes": job["bytes"][THIS], **job["encode"][THIS]}
    rows = [["GVC", *_costs(ours), ""]]
    for codec, entry in found["rivals"].items():
        label = f"{CODECS[codec].label}, level {entry['level']}"
        rows.append([label, *_costs(entry), f"{ours['seconds'] / entry['seconds']:.2f}"])
    about = f"Encoding {job['pictures']} pictures of {HD} to the size that is nearest to GVC's."
    return Table("Encoders at equal size", about, ["", "bytes", "s", "processor s", "MiB", "GVC takes times"], rows)


def _costs(entry: dict) -> list[str]:
    seconds, processor = (f"{entry[name]:.2f}" for name in ("seconds", "processor_seconds"))
    return [str(entry["bytes"]), seconds, processor, f"{entry['peak_bytes'] / MIB:.0f}"]


def _bridge(found: dict[str, dict]) -> Table:
    rows = [
        [
            side,
            *(f"{ways[way][0]:.2f}" for way in WAYS),
            f"{100 * (ways['plugin'][0] / ways['Python'][0] - 1):+.1f} %",
            *(f"{ways[way][1]:.2f}" for way in WAYS),
        ]
        for side, ways in found.items()
    ]
    seconds, processor = ([f"{label}, {unit}" for label in WAYS.values()] for unit in ("s", "processor s"))
    about = "Raw pictures from a file to a file, and back without writing them; whole processes, engine included."
    return Table("FFmpeg with the plugin beside Python", about, ["", *seconds, "more", *processor], rows)


def _scaling(found: dict) -> Table:
    walls = [found[side]["seconds"] for side in SIDES]
    rows = [
        [threads, *(text for wall in walls for text in (f"{wall[threads]:.1f}", f"{wall['1'] / wall[threads]:.1f}"))]
        for threads in walls[0]
    ]
    parts = [
        f"{side} {' + '.join(f'{found[side][part]:.1f}' for part in ('serial', 'shared', 'parallel'))}"
        for side in SIDES
    ]
    about = (
        f"Simulated for a film in which the {found['encode']['gops']} GOPs of a clip of {HD} come "
        f"{found['encode']['chains']} times, each time as a chain, with as many processors as threads. Processor "
        f"seconds of one chain on one thread, serial + shared + parallel parts: {', '.join(parts)}. The first two "
        "need the GOP before: planning and stills, or stills and side information; of these, shared is what is divided "
        "among threads. The threads of the AV1 encoder count as one. Reading and writing files is not in it, nor what "
        "threads do to each other, such as waiting for memory or for Python's lock."
    )
    head = ["threads", *(f"{side}{unit}" for side in SIDES for unit in (", s", ", gain"))]
    return Table("Scaling with threads", about, head, rows)
