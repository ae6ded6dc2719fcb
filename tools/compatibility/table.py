# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""All programs that are tried, in the order of the page."""

from .libraries import Library
from .obs import records
from .programs import (
    EDITORS,
    FILES,
    PLAYERS,
    Program,
    checksums,
    last_gop,
    one_picture,
    packets,
    pictures,
    samples,
    says,
)

OPENCV = """
import cv2
def linear(path):
    film = cv2.VideoCapture(path)
    while (read := film.read())[0]:
        yield read[1]
def pick(path, numbers):
    film = cv2.VideoCapture(path)
    for number in numbers:
        film.set(cv2.CAP_PROP_POS_FRAMES, number)
        yield film.read()[1]
"""
DECORD = """
from decord import VideoReader
def linear(path):
    return (frame.asnumpy() for frame in VideoReader(path))
def pick(path, numbers):
    film = VideoReader(path)
    return (film[number].asnumpy() for number in numbers)
"""
PYAV = """
import av
def read(frame):
    return frame.to_ndarray()
def linear(path):
    with av.open(path) as film:
        yield from map(read, film.decode(video=0))
def pick(path, numbers):
    with av.open(path) as film:
        video = film.streams.video[0]
        for number in numbers:
            pts = 40 * number
            film.seek(pts, stream=video)
            yield next(read(frame) for frame in film.decode(video) if frame.pts == pts)
"""
IMAGEIO = """
import imageio.v3 as iio
def linear(path):
    return iio.imiter(path, plugin="pyav")
def pick(path, numbers):
    return (iio.imread(path, index=number, plugin="pyav") for number in numbers)
"""
MOVIEPY = """
from moviepy import VideoFileClip
def linear(path):
    return VideoFileClip(path).iter_frames()
def pick(path, numbers):
    film = VideoFileClip(path)
    return (film.get_frame((number + 0.1) / film.fps) for number in numbers)
"""
SCENEDETECT = """
from scenedetect import ContentDetector, detect, open_video
def linear(path):
    detect(path, ContentDetector())
    film = open_video(path)
    while (pixels := film.read()) is not False:
        yield pixels
def pick(path, numbers):
    film = open_video(path)
    for number in numbers:
        film.seek(number)
        yield film.read()
"""
TORCHCODEC = """
from torchcodec.decoders import VideoDecoder
def linear(path):
    return (frame.numpy() for frame in VideoDecoder(path))
def pick(path, numbers):
    film = VideoDecoder(path)
    return (film[number].numpy() for number in numbers)
"""
VIDEO_READER = """
from video_reader import PyVideoReader
def linear(path):
    return iter(PyVideoReader(path).decode())
def pick(path, numbers):
    return iter(PyVideoReader(path).get_batch(numbers))
"""
FFMS2 = """
import ffms2
def linear(path):
    return pick(path, range(ffms2.VideoSource(path).properties.NumFrames))
def pick(path, numbers):
    film = ffms2.VideoSource(path)
    for number in numbers:
        yield film.get_frame(number).planes[0].copy()
"""
VAPOURSYNTH = """
import numpy
from gvc.vapoursynth import source
def samples(frame):
    return b"".join(numpy.asarray(frame[i]).tobytes() for i in range(3))
def linear(path):
    return map(samples, source(path).frames())
def pick(path, numbers):
    film = source(path)
    return (samples(film.get_frame(number)) for number in numbers)
"""
BESTSOURCE = """
import numpy, vapoursynth
def samples(frame):
    return b"".join(numpy.asarray(frame[i]).tobytes() for i in range(3))
def linear(path):
    return map(samples, vapoursynth.core.bs.VideoSource(path).frames())
def pick(path, numbers):
    film = vapoursynth.core.bs.VideoSource(path)
    return (samples(film.get_frame(number)) for number in numbers)
"""
OPENSHOT = """
import openshot, re
def linear(path):
    film = openshot.FFmpegReader(path)
    return pick(path, range(65))
def pick(path, numbers):
    film = openshot.FFmpegReader(path)
    film.Open()
    for number in numbers:
        film.GetFrame(number + 1).Save("frame.png", 1.0, "PNG")
        with open("frame.png", "rb") as file:
            yield b"".join(re.findall(rb"IDAT.*", file.read(), re.DOTALL))
    film.Close()
"""

NUMPY = "numpy==2.4.6"
AV = "av==18.1.0"
OPENCV_WHEEL = "opencv-python-headless==5.0.0.93"
IN_PROCESS = "`gvc run python`; or `gvc.av.install()` after its import"

PROGRAMS = (
    Program(
        PLAYERS, "ffplay", "ffmpeg", "gvc ffplay -autoexit -noframedrop -vf showinfo FILM", checksums, "`gvc ffplay`"
    ),
    Program(PLAYERS, "mpv", "mpv", "gvc mpv FILM --o=OUT --ovc=ffv1 --no-audio", pictures, "`gvc mpv`"),
    Program(
        PLAYERS,
        "GStreamer",
        "gstreamer1.0-tools",
        "gvc gst-launch-1.0 filesrc location=FILM ! decodebin ! videoconvert ! video/x-raw,format=I420 ! "
        "filesink location=OUT",
        samples,
        "`gvc gst-launch-1.0`; `gvc run` for Totem and others ([GStreamer](FFMPEG.md#gstreamer))",
        out="out.yuv",
    ),
    Program(
        PLAYERS,
        "VLC",
        "vlc-bin",
        "gvc cvlc --play-and-exit --no-audio '--sout=#transcode{vcodec=I420}:std{access=file,mux=avi,dst=OUT}' FILM",
        pictures,
        "`gvc vlc` ([VLC](FFMPEG.md#vlc)); its transcoding, run here, loses the last two pictures of any film",
        out="out.avi",
        not_root=True,
    ),
    Program(EDITORS, "FFmpeg", "ffmpeg", "gvc ffmpeg -nostdin -y -i FILM -c:v ffv1 OUT", pictures, "`gvc ffmpeg`"),
    Program(
        EDITORS,
        "MLT: melt, Kdenlive, Shotcut",
        "melt",
        "gvc run melt -silent FILM -consumer avformat:OUT vcodec=ffv1 an=1 real_time=-1",
        pictures,
        "`gvc run melt`, `gvc run kdenlive`",
    ),
    Program(
        EDITORS,
        "HandBrakeCLI",
        "handbrake-cli",
        "gvc run HandBrakeCLI -i FILM -o OUT -e x264 -q 0 --crop 0:0:0:0 --non-anamorphic",
        pictures,
        "`gvc run HandBrakeCLI`",
    ),
    Library(
        "libopenshot (OpenShot)",
        (),
        "openshot.FFmpegReader",
        OPENSHOT,
        "`gvc run openshot-qt`, which shows the last picture too (of codecs with a delay it repeats the one before)",
        debian="python3-openshot",
        variables=(("GVC_FRAME_DELAY", "0"),),
        group=EDITORS,
    ),
    Program(
        EDITORS,
        "ffmpegthumbnailer",
        "ffmpegthumbnailer",
        "gvc run ffmpegthumbnailer -i FILM -o OUT -s 0 -t 0",
        one_picture,
        "`gvc run`; file managers: [thumbnails](FFMPEG.md#parts-previews-thumbnails)",
        out="out.png",
    ),
    Program(
        EDITORS,
        "OBS Studio",
        "obs-studio",
        "gvc run obs --multi --startrecording",
        records,
        "`gvc run obs`",
    ),
    Library("PyAV", (AV, NUMPY), "av.open", PYAV, "`import gvc.av`, or `gvc run python`"),
    Library("OpenCV", (OPENCV_WHEEL, NUMPY), "cv2.VideoCapture", OPENCV, IN_PROCESS),
    Library("OpenCV, Debian's", (), "cv2.VideoCapture", OPENCV, "`gvc run python3`", debian="python3-opencv"),
    Library(
        "PySceneDetect",
        ("scenedetect-headless==0.7.2", OPENCV_WHEEL, NUMPY, "platformdirs", "click", "tqdm"),
        "scenedetect.detect",
        SCENEDETECT,
        "`gvc run scenedetect`; or `gvc.av.install()` after its import",
    ),
    Library(
        "imageio, plugin pyav",
        ("imageio==2.38.1", AV, NUMPY, "pillow"),
        'imageio.v3.imiter(..., plugin="pyav")',
        IMAGEIO,
        "`import gvc.av`, or `gvc run python`",
    ),
    Library(
        "MoviePy; imageio, plugin FFMPEG",
        (
            "moviepy==2.2.1",
            "imageio",
            "imageio-ffmpeg",
            "pillow",
            NUMPY,
            "decorator",
            "proglog",
            "python-dotenv",
            "tqdm",
        ),
        "moviepy.VideoFileClip",
        MOVIEPY,
        "`gvc run python`, which has the ffmpeg on PATH taken for the static build of imageio-ffmpeg",
    ),
    Library(
        "TorchCodec",
        ("torchcodec==0.13.0",),
        "torchcodec.decoders.VideoDecoder",
        TORCHCODEC,
        IN_PROCESS + "; wheels from 0.14 on need a CUDA build of torch",
        borrowed=("torch", "numpy"),
    ),
    Library("decord2", ("decord2==3.4.0", NUMPY), "decord.VideoReader", DECORD, IN_PROCESS),
    Library(
        "eva-decord",
        ("eva-decord==0.6.1", NUMPY),
        "decord.VideoReader",
        DECORD,
        "the FFmpeg in it, 4.0, is too old: take decord2",
    ),
    Library(
        "Decord",
        ("decord==0.6.0", NUMPY),
        "decord.VideoReader",
        DECORD,
        "the FFmpeg in it, 4.0, is too old: take decord2",
    ),
    Library(
        "video-reader-rs",
        ("video-reader-rs==0.4.5", NUMPY),
        "video_reader.PyVideoReader",
        VIDEO_READER,
        "`gvc run python`; its wheel always needs `LD_LIBRARY_PATH=.../site-packages/video_reader_rs.libs`",
        variables=(("LD_LIBRARY_PATH", "PACKAGES/video_reader_rs.libs"),),
    ),
    Library(
        "FFMS2 2.40 (Aegisub), by ffms2",
        ("ffms2==0.4.5.5", NUMPY, "setuptools"),
        "ffms2.VideoSource",
        FFMS2,
        "`gvc run`; an index made without GVC lacks the track: delete the `.ffindex`",
    ),
    Library(
        "VapourSynth",
        ("vapoursynth==81", AV, NUMPY, "platformdirs"),
        "gvc.vapoursynth.source",
        VAPOURSYNTH,
        "[a source of its own](FFMPEG.md#vapoursynth), also for vspipe and Av1an",
        oldest=12,
        planes=True,
    ),
    Library(
        "VapourSynth, BestSource",
        ("vapoursynth-bestsource==22", "vapoursynth==81", NUMPY),
        "core.bs.VideoSource",
        BESTSOURCE,
        "FFmpeg is inside the filter, out of reach: take `gvc.vapoursynth`",
        oldest=12,
        planes=True,
    ),
    Program(
        FILES,
        "HLS as Jellyfin makes it, by Debian's FFmpeg",
        "ffmpeg",
        "gvc run ffmpeg -nostdin -y -i FILM -map 0:0 -c:v libx264 -preset veryfast -f hls -hls_time 1 "
        "-hls_segment_type fmp4 -hls_playlist_type vod OUT",
        pictures,
        "Jellyfin itself: [see below](#not-tried)",
        out="out.m3u8",
    ),
    Program(
        FILES,
        "ffprobe, without GVC",
        "ffmpeg",
        "ffprobe -v error -show_entries stream=codec_name,codec_tag_string,width,height FILM",
        says(r"^(?:codec|width|height).*"),
        "`gvc ffprobe` knows the codec",
    ),
    Program(
        FILES,
        "FFmpeg, without GVC",
        "ffmpeg",
        "ffmpeg -nostdin -y -i FILM -c copy OUT",
        packets,
        "its warning 'codec none is not supported by this format' can be passed over",
    ),
    Program(FILES, "mkvmerge", "mkvtoolnix", "mkvmerge -o OUT FILM", packets, "MKVToolNix needs nothing"),
    Program(
        FILES,
        "mkvmerge, parts",
        "mkvtoolnix",
        "mkvmerge -o OUT --split parts:1320ms- FILM",
        last_gop,
        "parts begin at keyframes",
    ),
    Program(
        FILES,
        "mkvextract",
        "mkvtoolnix",
        "mkvextract FILM tracks 0:OUT",
        packets,
        "AVI, with the codec's header",
        out="out.avi",
    ),
    Program(FILES, "mkvinfo", "mkvtoolnix", "mkvinfo FILM", says(r"Codec ID.*|Codec's private data.*"), ""),
    Program(FILES, "MediaInfo", "mediainfo", "mediainfo FILM", says(r"^(?:Codec ID|Width|Height|Frame rate) .*"), ""),
)
NOT_TRIED = (
    (
        "Jellyfin",
        "its jellyfin-ffmpeg is neither in Debian nor on PyPI. It has shared libraries, so *FFmpeg path* may be set to "
        'a script `ffmpeg` that says `exec gvc run /usr/lib/jellyfin-ffmpeg/ffmpeg "$@"`, with the like for `ffprobe` '
        "beside it; or to the ffmpeg of `make ffmpeg`",
    ),
    (
        "MP4Box (GPAC)",
        "GPAC is not in Debian 12. It works on MP4, which has no registered name for GVC ([containers]"
        "(FFMPEG.md#containers-and-what-is-kept))",
    ),
)
