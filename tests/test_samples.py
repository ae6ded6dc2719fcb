# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sample formats: 4:4:4, RGB and 10-bit pictures keep their format through the engine and through libgvc."""

from dataclasses import replace

import clips
import libgvc
import numpy as np
import pytest
from libgvc import lib
from smooth import smooth_clip

from gvc.bitstream import read_packet
from gvc.errors import MediaError
from gvc.media import SAMPLE_FORMATS, Picture, VideoFormat
from gvc.pictures.samples import from_coded, to_coded

SAMPLES = {samples.pix_fmt: samples for samples in SAMPLE_FORMATS}
NAMES = list(SAMPLES)
OPTIONS = {"gop": 5, "preset": "fast", "quality": 60}


def peak(video: VideoFormat) -> int:
    return 2**video.samples.depth - 1


@pytest.mark.parametrize("size", [(64, 48), (33, 17), (1, 1)])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_decoded_can_be_coded_again(name, size):
    video = VideoFormat(*size, samples=SAMPLES[name])
    coded = tuple(plane[0] for plane in smooth_clip(video.coded, 1))
    planes = from_coded(coded, video)
    assert [(plane.shape, plane.dtype) for plane in planes] == [(s, video.samples.dtype) for s in video.plane_shapes]
    for before, after in zip(coded, to_coded(planes, video), strict=True):
        assert after.dtype == np.uint8
        # Halving smooths doubled chroma, and not every Y'CbCr value has an equal 8-bit RGB value.
        assert np.abs(before.astype(int) - after.astype(int)).max() <= (0 if video.samples.halved else 2)


@pytest.mark.parametrize("size", [(34, 721), (33, 66), (5, 65)])
@pytest.mark.parametrize("location", [0, 2, 3, 4])
@pytest.mark.parametrize("name", NAMES[1:])
def test_strips_join_without_a_seam(name, location, size, monkeypatch):
    video = VideoFormat(*size, chroma_location=location, samples=SAMPLES[name])
    draw = np.random.default_rng(0).integers
    planes = tuple(draw(0, peak(video) + 1, shape).astype(video.samples.dtype) for shape in video.plane_shapes)
    coded = tuple(draw(0, 256, shape).astype(np.uint8) for shape in video.coded.plane_shapes)
    by_strips = (*to_coded(planes, video), *from_coded(coded, video))
    monkeypatch.setattr("gvc.pictures.samples.STRIP", video.height)
    whole = (*to_coded(planes, video), *from_coded(coded, video))
    assert all(map(np.array_equal, by_strips, whole))


@pytest.mark.parametrize("color_range", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_black_and_white_are_exact(name, color_range):
    samples = SAMPLES[name]
    video = VideoFormat(8, 8, color_range=color_range, samples=samples)
    factor = 2 ** (samples.depth - 8)
    limited = not samples.rgb and color_range != 2
    ends = {16: 16 * factor, 235: 235 * factor} if limited else {0: 0, 255: 256 * factor - 1}
    for coded_luma, luma in ends.items():
        values = (luma,) * 3 if samples.rgb else (luma, 128 * factor, 128 * factor)
        planes = tuple(np.full(s, v, samples.dtype) for s, v in zip(video.plane_shapes, values, strict=True))
        coded = to_coded(planes, video)
        assert [int(plane[0, 0]) for plane in coded] == [coded_luma, 128, 128]
        assert all(map(np.array_equal, planes, from_coded(coded, video)))


@pytest.mark.parametrize("name", ["gbrp", "gbrp10le"])
def test_rgb_colours_keep_their_place(name):
    video = VideoFormat(8, 8, samples=SAMPLES[name])
    for colour in range(3):
        planes = tuple(np.full((8, 8), peak(video) * (i == colour), video.samples.dtype) for i in range(3))
        for before, after in zip(planes, from_coded(to_coded(planes, video), video), strict=True):
            assert np.abs(before.astype(int) - after.astype(int)).max() <= peak(video) / 80


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_stream_keeps_the_format(name):
    pictures, video = clips.in_samples(clips.moving_clip(7, 33, 18), name)
    extradata, packets, reconstruction = clips.encode(pictures, video, **OPTIONS)
    decoded = clips.decode(extradata, packets)
    assert clips.same(decoded, reconstruction)
    for before, after in zip(pictures, decoded, strict=True):
        for a, b in zip(before.planes, after.planes, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            assert np.abs(a.astype(int) - b.astype(int)).mean() < peak(video) / 12


def test_all_formats_of_one_clip_are_coded_alike():
    """The streams differ only in their headers if the conversion is lossless."""
    source = clips.moving_clip(5, 32, 32)
    streams = {}
    for name in ("yuv420p", "yuv420p10le"):
        pictures, video = clips.in_samples(source, name)
        _, packets, _ = clips.encode(pictures, video, **OPTIONS)
        units = [read_packet(packet.data) for packet in packets]
        streams[name] = [unit and replace(unit, header=None) for unit in units]
    assert streams["yuv420p"] == streams["yuv420p10le"]


def test_wrong_samples_are_refused():
    pictures, video = clips.in_samples(clips.moving_clip(1), "yuv444p10le")
    wrong = Picture(tuple(plane.astype(np.uint8) for plane in pictures[0].planes), 0, 1)
    with pytest.raises(MediaError, match="yuv444p10le must have the type uint16"):
        clips.encode([wrong], video)


@pytest.mark.parametrize("name", NAMES)
def test_libgvc_codes_as_the_engine_does(name):
    pictures, video = clips.in_samples(clips.moving_clip(6, 33, 18), name)
    _, packets, reconstruction = clips.encode(pictures, video, **OPTIONS)
    text = ":".join(f"{key}={value}" for key, value in OPTIONS.items())
    fields = {"time_base_num": 1, "time_base_den": 25, "frame_rate_num": 25, "frame_rate_den": 1, "colorspace": 2}
    with libgvc.Encoder(33, 18, options=text, sample_format=video.samples.code, **fields) as encoder:
        assert [packet.data for packet in encoder.encode(pictures)] == [packet.data for packet in packets]
        header = encoder.extradata
    with libgvc.Decoder(extradata=header) as decoder:
        assert decoder.format().sample_format == video.samples.code
        decoded = decoder.decode([*packets, None])
    assert clips.same(decoded, reconstruction)


def test_packed_rgb_is_rgb():
    pictures, _ = clips.in_samples(clips.moving_clip(3, 30, 20), "gbrp")
    options = "gop=5:preset=fast"
    with libgvc.Encoder(30, 20, options=options, sample_format=lib.GVC_SAMPLES_GBRP) as encoder:
        expected = [packet.data for packet in encoder.encode(pictures)]
    packed = []
    for picture in pictures:
        green, blue, red = picture.planes
        pixels = np.ascontiguousarray(np.stack((red, green, blue), -1)).reshape(20, 90)
        packed.append(Picture((pixels,), picture.pts, picture.duration))
    with libgvc.Encoder(30, 20, options=options, sample_format=lib.GVC_SAMPLES_RGB24) as encoder:
        assert [packet.data for packet in encoder.encode(packed)] == expected


@pytest.mark.parametrize("sample_format", [-1, 7, 63, 65])
def test_unknown_sample_formats_are_refused(sample_format):
    with pytest.raises(libgvc.CallError, match="sample format"):
        libgvc.Encoder(30, 20, sample_format=sample_format)


def test_the_format_can_change_at_a_keyframe():
    """A concatenation of files gives two streams of one size in succession."""
    parts = [
        clips.in_samples(clips.moving_clip(5, seed=seed), name) for seed, name in ((1, "yuv420p"), (2, "gbrp10le"))
    ]
    coded = [clips.encode(pictures, video, **OPTIONS) for pictures, video in parts]
    packets = [packet for _, part, _ in coded for packet in part]
    expected = [picture for _, _, part in coded for picture in part]
    assert clips.same(clips.decode(coded[0][0], packets), expected)
    with libgvc.Decoder(extradata=coded[0][0]) as decoder:
        assert clips.same(decoder.decode([*packets, None]), expected)
