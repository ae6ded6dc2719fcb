# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The program that test_plugin_matrix.py runs in each PyAV: python plugin_exercise.py PLUGIN FOLDER

Encodes FOLDER/movie.mkv, uses it as PyAV's users do, and prints the results as one JSON object. It needs
nothing but PyAV, of whatever version: no gvc, no NumPy.
"""

import ctypes
import hashlib
import json
import re
import sys
import threading
from fractions import Fraction

import av
import av.logging

WIDTH, HEIGHT, FRAMES = 66, 50, 20  # rows are padded
COLOUR = {"color_range": "tv", "colorspace": "smpte170m", "color_primaries": "bt470bg", "color_trc": "bt709"}
OPTIONS = {"gop": "5", "g": "10", "preset": "fast", "gvc-params": "quality=40", "aspect": "4:3", **COLOUR}
OTHER_FORMATS = ("yuv444p10le", "gbrp", "rgb24", "yuvj420p")
# Properties of a frame in the output of showinfo. All are members of AVFrame, whose offsets differ between versions.
SHOWN = r"\b(pts|duration|iskey|type|color_range|color_space|color_primaries|color_trc): *(\S+)"


def install(plugin):
    library = ctypes.CDLL(plugin)
    library.gvc_ffmpeg_status.restype = ctypes.c_char_p
    library.gvc_ffmpeg_install()
    return library.gvc_ffmpeg_status().decode()


def fill(plane, value):
    """Write value(x, y) to all samples of a plane."""
    rows = [bytes(value(x, y) & 255 for x in range(plane.width)) for y in range(plane.height)]
    plane.update(b"".join(row.ljust(plane.line_size, b"\0") for row in rows))


def picture(index):
    """Return a frame of a moving wedge, with uneven pts in milliseconds."""
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    luma, *chroma = frame.planes
    fill(luma, lambda x, y: 200 - x if x + y > 3 * index else 40 + y)
    for number, plane in enumerate(chroma):
        fill(plane, lambda x, y, shift=number: 100 + 20 * shift + (x + index) // 2 + y)
    frame.pts, frame.time_base = time_of(index), Fraction(1, 1000)
    return frame


def time_of(index):
    return 70 + index * 40 + index % 3 * 5


def checksum(frame, planes=3):
    """Return a checksum of the first planes' samples, without the padding of rows."""
    digest = hashlib.md5()
    for plane in frame.planes[:planes]:
        data, width = bytes(plane), plane.width * (2 if frame.format.name.endswith("10le") else 1)
        for y in range(plane.height):
            digest.update(data[y * plane.line_size :][:width])
    return digest.hexdigest()


def add_stream(output, pix_fmt, options):
    stream = output.add_stream("gvc", rate=25, width=WIDTH, height=HEIGHT, pix_fmt=pix_fmt, options=dict(options))
    stream.codec_context.bit_rate = 0  # PyAV 13 and older set 1 Mb/s by default.
    return stream


def write(path, frames=FRAMES, options=OPTIONS):
    with av.open(path, "w") as output:
        stream = add_stream(output, "yuv420p", options)
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frames):
            output.mux(stream.encode(picture(index)))
        output.mux(stream.encode(None))


def packets(path):
    """Return [(pts, dts, key, checksum)] of all packets."""
    with av.open(path) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
        return [(p.pts, p.dts, p.is_keyframe, hashlib.md5(bytes(p)).hexdigest()) for p in found]


def frames(path):
    """[(pts, checksum)] of all frames."""
    with av.open(path) as container:
        return [(frame.pts, checksum(frame)) for frame in container.decode(video=0)]


def shown(path):
    """Return the output of showinfo as a dictionary for each frame."""
    found = []
    with av.open(path) as container, av.logging.Capture() as messages:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        source, showinfo, sink = graph.add_buffer(template=stream), graph.add("showinfo"), graph.add("buffersink")
        source.link_to(showinfo)
        showinfo.link_to(sink)
        graph.configure()
        for frame in container.decode(stream):
            del messages[:]
            graph.push(frame)
            graph.pull()
            found.append(dict(re.findall(SHOWN, " ".join(text for _, _, text in messages))))
    return found


def seek(path):
    """Seek forwards and backwards in one open decoder; return [(pts, checksum)] after each seek."""
    found = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        for index in (12, 3, 18):
            container.seek(time_of(index), stream=stream)
            found.append([(frame.pts, checksum(frame)) for frame in container.decode(stream)])
    return found


def remux(path, copy):
    with av.open(path) as source, av.open(copy, "w") as output:
        template = source.streams.video[0]
        if hasattr(output, "add_stream_from_template"):
            stream = output.add_stream_from_template(template)
        else:  # PyAV 13 and older
            stream = output.add_stream(template=template)
        for packet in source.demux(template):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)


def in_format(path, name):
    """Code two frames in a pixel format; return [(format, range, checksum)], or None without that format."""
    if name not in [known.name for known in av.Codec("gvc", "w").video_formats]:
        return None
    with av.open(path, "w") as output:
        stream = add_stream(output, name, {"preset": "fast"})
        for index in range(2):
            frame = av.VideoFrame(WIDTH, HEIGHT, name)
            for plane in frame.planes:
                plane.update(bytes(i % plane.line_size % 3 + index for i in range(plane.buffer_size)))
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(path) as container:
        return [(frame.format.name, int(frame.color_range), checksum(frame)) for frame in container.decode(video=0)]


def complaint(path, **options):
    """Return the error message for a wrong option."""
    with av.logging.Capture() as messages:
        try:
            write(path, 1, options)
        except (ValueError, OSError) as error:
            return " ".join([str(error), *(text for _, _, text in messages)])
    return ""


def in_threads(paths):
    """Encode several files in parallel threads."""
    threads = [threading.Thread(target=write, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def beside_opencv(plugin, movie, other):
    """Return what OpenCV's own FFmpeg, loaded after the plugin, decodes while PyAV encodes; None without OpenCV."""
    try:
        import cv2
    except ImportError:
        return None
    status = install(plugin)
    encoding = threading.Thread(target=write, args=(other,))
    encoding.start()
    capture, found = cv2.VideoCapture(movie, cv2.CAP_FFMPEG), []
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)  # Returns luma without conversion.
    while True:
        ok, luma = capture.read()
        if not ok:
            break
        found.append(hashlib.md5(luma.tobytes()).hexdigest())
    encoding.join()
    with av.open(movie) as container:
        ours = [checksum(frame, planes=1) for frame in container.decode(video=0)]
    return {"status": status, "packets": packets(other), "lumas": found, "our_lumas": ours}


def main():
    plugin, folder = sys.argv[1:]
    movie, copy, *others = (f"{folder}/{name}.mkv" for name in ("movie", "copy", "first", "second"))
    report = {"status": install(plugin)}
    av.logging.set_level(av.logging.INFO)
    write(movie)
    remux(movie, copy)
    in_threads(others)
    with av.open(movie) as container:
        context = container.streams.video[0].codec_context
        report["stream"] = [context.name, context.codec_tag, context.pix_fmt, context.width, context.height]
        report["aspect"] = str(context.sample_aspect_ratio)
        report["extradata"] = context.extradata[:4].decode()
    report |= {
        "packets": packets(movie),
        "frames": frames(movie),
        "shown": shown(movie),
        "sought": seek(movie),
        "copied": packets(copy),
        "copied_frames": frames(copy),
        "in_threads": [packets(path) for path in others],
        "formats": {name: in_format(f"{folder}/{name}.mkv", name) for name in OTHER_FORMATS},
        "complaint": complaint(f"{folder}/wrong.mkv", preset="hasty"),
        "opencv": beside_opencv(plugin, movie, f"{folder}/third.mkv"),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
