# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The commands of `gvc`. Each imports its modules only when it runs, so that --help is fast."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ..errors import EXIT_CODES, OptionError
from ..options import DECODER_OPTIONS, ENCODER_OPTIONS, MODEL_OPTIONS
from .commands import Commands, PassThrough
from .flags import with_options
from .programs import PROGRAMS, run_program
from .report import Report, Shown, errors_reported, reported
from .workers import WorkerChoice

CUT_OPTIONS = tuple(  # Options of the encoder for what an exact cut codes anew; the film tells the others
    option
    for option in ENCODER_OPTIONS
    if option.name in ("quality", "preset", "prior", "atoms", "threads") or option in MODEL_OPTIONS
)
BENCH_OPTIONS = (  # Options of the encoder and the decoder that bench does not set itself
    *(option for option in ENCODER_OPTIONS if option.name not in ("gop", "keyint", "scenecut")),
    *(option for option in DECODER_OPTIONS if option.name == "realism"),
)


app = typer.Typer(
    cls=Commands,
    help="Generative video codec: video coded as the noise choices of a generative model.",
    epilog=f"Exit codes: {', '.join(f'{code} {meaning}' for code, meaning, _ in EXIT_CODES)}, 128+n ended by signal n.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

Overwrite = Annotated[bool, typer.Option("-y", "--overwrite", help="Overwrite OUT if it exists.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print warnings and errors only.")]
Progress = Annotated[
    Shown, typer.Option(help="Form of progress and messages on stderr (docs/PROGRESS.md); json is for programs.")
]
Workers = Annotated[
    int, typer.Option(min=0, metavar="N", help="Number of processes that work side by side; 0 = one for each device.")
]
Devices = Annotated[
    str, typer.Option(metavar="LIST", help="Devices of the processes, such as cuda:0,cuda:1; they take them in turns.")
]
Cluster = Annotated[
    str, typer.Option(metavar="auto|local|ray://HOST:PORT", help="Ray cluster whose machines work side by side.")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show where an error comes from.")]


def _examples(*lines: str) -> str:
    """Return the end of a help text. Empty lines keep typer from joining the lines."""
    return "\n\n".join(("Examples:", *lines))


def _version(wanted: bool) -> None:
    if wanted:
        from .version import version_text

        print(version_text())
        raise typer.Exit


@app.callback()
def gvc(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print versions and exit.")
    ] = False,
) -> None:
    """Generative video codec: video coded as the noise choices of a generative model."""


@app.command(
    "encode", epilog=_examples("gvc encode in.mp4 out.mkv --quality 40", "gvc encode -y -b 60k in.mp4 out.mkv")
)
@with_options(ENCODER_OPTIONS)
@reported
def encode_command(
    *,
    source: Annotated[str, typer.Argument(metavar="IN", help="Any video that FFmpeg reads; - = standard input.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, .mkv; - = Matroska on stdout.")],
    options: dict[str, object],
    verify: Annotated[bool, typer.Option("--verify", help="Decode OUT in a new process and compare.")] = False,
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Copy audio, subtitles, attachments, chapters, tags.")
    ] = True,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Keep what is done in the folder OUT.jobs, so that the same command goes on."),
    ] = False,
    jobs: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The same in another folder.")] = None,
    workers: Workers = 0,
    devices: Devices = "",
    cluster: Cluster = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder of jobs after success.")] = False,
    overwrite: Overwrite = False,
    progress: Progress = Shown.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Encode a video. Timestamps, colour and aspect ratio are kept, and all other tracks are copied.

    A damaged file is encoded as far as it can be read; the exit code is then 3.

    With --resume, --jobs, --workers, --devices or --cluster the film is coded in parts (docs/FLEET.md).

    Whatever ends that, the same command goes on where it was.
    """
    report, how = Report(quiet, shown=progress), {"overwrite": overwrite, "audio": audio, "verify": verify}
    choice = WorkerChoice(workers, devices, cluster)
    if resume or jobs or choice or keep:
        from .encode_chains import Fleet, encode_chains

        encode_chains(source, target, options, report, Fleet(choice, jobs, keep), **how)
    else:
        from .encode import encode

        encode(source, target, options, report, **how)


@app.command("decode", epilog=_examples("gvc decode in.mkv out.mp4", "gvc decode in.mkv - | ffplay -"))
@with_options(DECODER_OPTIONS)
@reported
def decode_command(
    *,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file with GVC video.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="File to write: .mkv .avi .nut (FFV1), .mp4 .mov (H.264), .y4m; - = y4m on stdout."
        ),
    ],
    options: dict[str, object],
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Copy audio, subtitles, attachments, chapters, tags.")
    ] = True,
    workers: Workers = 0,
    devices: Devices = "",
    cluster: Cluster = "",
    overwrite: Overwrite = False,
    progress: Progress = Shown.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Decode a video. A damaged file is decoded as far as it can be read; the exit code is then 3.

    With --workers, --devices or --cluster, parts of it are decoded side by side, which is for large models
    (docs/FLEET.md).
    """
    from .decode import decode

    choice = WorkerChoice(workers, devices, cluster)
    decode(source, target, options, Report(quiet, shown=progress), overwrite=overwrite, audio=audio, workers=choice)


@app.command(
    "cut",
    epilog=_examples(
        "gvc cut film.mkv part.mkv --from 1:30 --to 0:02:10", "gvc cut film.mkv part.mkv --from 83.52 --exact"
    ),
)
@with_options(CUT_OPTIONS)
@reported
def cut_command(
    *,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file with GVC video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .mkv .avi .nut; - = Matroska.")],
    options: dict[str, object],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Start: seconds, MM:SS or HH:MM:SS.")] = "0",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="End, in the same form. Default: end of IN.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Start at that picture; pictures up to the next keyframe are coded anew.")
    ] = False,
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Cut audio, subtitles, chapters too, copy attachments, tags.")
    ] = True,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Cut a part out of a film without coding it anew. It starts at the keyframe at or before --from.

    With --exact it starts at the picture that is shown then, and only the pictures before the next keyframe are coded
    anew, with the settings of the film unless options say otherwise.

    The end is always exact.
    """
    from gvc_container.span import Span

    from .cut import cut
    from .times import parse_time

    span = Span(parse_time(start, "--from"), parse_time(end, "--to") if end else None)
    cut(source, target, span, options, Report(quiet), exact=exact, overwrite=overwrite, audio=audio)


@app.command(
    "preview", epilog=_examples("gvc preview film.mkv", "gvc preview film.mkv --at 1:30 --size 256 -o thumb.png")
)
@reported
def preview_command(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file with GVC video.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="PNG file to write; - = stdout. Default: FILE as .png."),
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="One picture: the keyframe at or before seconds, HH:MM:SS or a share such as 1/3."
        ),
    ] = "",
    size: Annotated[
        int | None,
        typer.Option(min=1, max=16384, help="Largest side of a picture. Default: 320 in a sheet, else no limit."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show a film by its keyframes: a sheet with one picture of each chain, or one picture.

    They are decoded from their stills, in an instant and without the model. In t2v, which has no stills, they are
    decoded with the model.
    """
    from .preview import preview

    preview(file, output, Report(quiet), at=at, size=size, overwrite=overwrite)


@app.command("info", epilog=_examples("gvc info out.mkv", "gvc info --json out.mkv | jq .bpp"))
@reported
def info_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file with GVC video.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")] = False,
    verbose: Verbose = False,
) -> None:
    """Show the content of a file and the use of its bytes."""
    from .info import info

    info(file, as_json=json)


@app.command("jobs", epilog=_examples("gvc jobs out.mkv.jobs", "gvc jobs --json out.mkv.jobs | jq .chains"))
@reported
def jobs_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Job folder of a gvc encode that can go on later.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")] = False,
    verbose: Verbose = False,
) -> None:
    """Show the chains of a job folder: pictures, state, bytes, seconds, and who codes them (docs/FLEET.md)."""
    from .jobs import show_jobs

    show_jobs(folder, as_json=json)


@app.command(
    "compare",
    epilog=_examples(
        "gvc compare in.mp4 out.mkv x265.mp4 --html look.html", "gvc compare in.mp4 out.mkv --wipe wipe.mp4"
    ),
)
@with_options(DECODER_OPTIONS)
@reported
def compare_command(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Videos; the first is the reference.")],
    options: dict[str, object],
    start: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Time at which the comparison starts.")] = 0,
    frames: Annotated[int, typer.Option(min=0, help="Number of frames of the reference; 0 = all.")] = 0,
    metrics: Annotated[
        str, typer.Option(metavar="NAMES", help="Metrics, separated by commas; all = all. Default: all fast ones.")
    ] = "",
    every: Annotated[int, typer.Option(min=1, help="Distance of the frames that slow metrics measure.")] = 5,
    video: Annotated[Path | None, typer.Option(metavar="FILE", help="Video to write, all side by side.")] = None,
    wipe: Annotated[Path | None, typer.Option(metavar="FILE", help="Video to write, a boundary moves across.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page to write for a browser, one .html file.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")] = False,
    overwrite: Annotated[bool, typer.Option("-y", "--overwrite", help="Overwrite files that exist.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare videos with the first one by figures, videos and a page with a slider (docs/COMPARE.md)."""
    from .compare import CompareOptions, compare_files

    compare_options = CompareOptions(start, frames, metrics, every, video, wipe, html)
    compare_files(files, options, compare_options, Report(quiet), as_json=json, overwrite=overwrite)


@app.command("models", epilog=_examples("gvc models", "gvc models wan/vace-1.3b", "gvc models --json | jq .models"))
@reported
def models_command(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Model, family, hub id or name in streams. Default: all models.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")] = False,
    verbose: Verbose = False,
) -> None:
    """List the models that GVC knows: what fits into this machine, what is in the cache, the command (docs/MODELS.md).

    Nothing is fetched.
    """
    from .models import show_models

    show_models(name, as_json=json)


@app.command("doctor")
@reported
def doctor_command(verbose: Verbose = False) -> None:
    """Check this installation: what works, what is missing and how to get it."""
    from .checks import checks
    from .doctor import print_checks

    sys.exit(print_checks(checks()))


@app.command(
    "bench",
    epilog=_examples("gvc bench --size 832x480", "gvc bench --random wan/t2v-1.3b --device cuda --mode t2v --json"),
)
@with_options(BENCH_OPTIONS)
@reported
def bench_command(
    *,
    options: dict[str, object],
    size: Annotated[str, typer.Option(metavar="WxH", help="Picture size. Default: that of FILE, else 416x240.")] = "",
    frames: Annotated[int, typer.Option(min=1, max=129, help="Frames in a GOP, rounded down to 4k+1.")] = 33,
    gops: Annotated[int, typer.Option(min=1, help="Number of GOPs.")] = 1,
    source: Annotated[str, typer.Option("--input", metavar="FILE", help="Video. Default: a synthetic clip.")] = "",
    random: Annotated[
        str,
        typer.Option(
            metavar="VARIANT", help="Model size for random weights, such as wan/t2v-1.3b. Default: real weights."
        ),
    ] = "",
    warmup: Annotated[
        int | None,
        typer.Option(min=0, help="Passes before the measurement. Default: 1 on accelerators, 0 on the CPU."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")] = False,
    verbose: Verbose = False,
) -> None:
    """Measure time and memory of encoding and decoding, and the network's share of them (docs/BENCH.md)."""
    from ..bench.job import Job
    from .bench import bench, parse_size

    job = Job(options, random, parse_size(size) if size else None, frames, gops, source)
    bench(job, Report(quiet=json), warmup=warmup, as_json=json)


@app.command("install-desktop")
@reported
def install_desktop_command(
    remove: Annotated[bool, typer.Option("--remove", help="Remove what an earlier call has installed.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Let file managers recognise GVC in Matroska and show its keyframes as thumbnails (docs/FFMPEG.md).

    It writes two files below ~/.local/share, or $XDG_DATA_HOME.
    """
    from .desktop import install_desktop

    install_desktop(Report(quiet), remove=remove)


@app.command(
    "serve", epilog=_examples("gvc serve", "gvc serve --idle 0 --preload wan:Wan2.1-T2V-1.3B-Diffusers --device cuda")
)
@with_options(MODEL_OPTIONS)
@reported
def serve_command(
    *,
    options: dict[str, object],
    idle: Annotated[float, typer.Option(min=0, help="Seconds without clients until it ends; 0 = never.")] = 600,
    clients: Annotated[
        int, typer.Option(min=1, help="Largest number of clients at a time; others start their own engines.")
    ] = 16,
    preload: Annotated[
        list[str] | None, typer.Option(metavar="PRIOR", help="Prior to load at once and keep; may be repeated.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Keep models loaded for all programs that use GVC through FFmpeg, PyAV or C (docs/FFMPEG.md)."""
    from .serve import serve

    serve(preload or [], options, idle, clients)


def _add_program(name: str, example: str) -> None:
    @app.command(
        name,
        cls=PassThrough,
        rich_help_panel="Programs with GVC built in",
        help=f"Run {name} with GVC: gvc {name} {example}",
    )
    def program_command(ctx: typer.Context) -> NoReturn:
        run_program(name, ctx.args)


@app.command(
    "run",
    cls=PassThrough,
    rich_help_panel="Programs with GVC built in",
    help="Run any program that uses shared FFmpeg libraries with GVC: gvc run melt out.mkv",
)
def run_command(ctx: typer.Context) -> NoReturn:
    if ctx.args[:1] == ["--help"]:
        print(ctx.get_help())
        raise typer.Exit
    words = ctx.args[1:] if ctx.args[:1] == ["--"] else ctx.args
    with errors_reported():
        if not words or words[0].startswith("-"):
            raise OptionError("gvc run needs a program as its first argument: gvc run PROGRAM [ARGUMENTS...]")
    run_program(words[0], words[1:], gstreamer=True)


for _name, _example in PROGRAMS.items():
    _add_program(_name, _example)
