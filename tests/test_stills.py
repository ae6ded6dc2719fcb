# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills: AV1 pictures of any size, single and in chains, and invalid bytes in their place."""

from pathlib import Path

import numpy as np
import pytest
from clips import moving_clip, pan_clip, video_format, with_last_size
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.bitstream import SequenceHeader
from gvc.errors import BitstreamError
from gvc.machine.parallel import Team
from gvc.media import VideoFormat
from gvc.stills.av1 import (
    ADAPTED,
    COARSEST,
    FINEST,
    LAYERED,
    LOW_DELAY,
    StillDecoder,
    StillEncoder,
    decode_still,
    encode_still,
)
from gvc.stills.chain import COARSEST_CHAIN, StillChain


def picture(width: int, height: int):
    return moving_clip(1, width, height)[0]


def error(a, b) -> float:
    return float(np.mean((a[0].astype(float) - b[0]) ** 2))


@pytest.fixture(scope="module")
def still():
    return encode_still(picture(64, 48).planes, 40, "fast")


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 64), (64, 64), (65, 33), (130, 3), (96, 66)])
def test_all_sizes_come_back_in_their_size(size):
    source = picture(*size)
    planes = decode_still(encode_still(source.planes, 20, "fast"), video_format([source]))
    assert [p.shape for p in planes] == [p.shape for p in source.planes]
    assert all(p.dtype == np.uint8 for p in planes)
    assert error(planes, source.planes) < 30


def test_finer_quantiser_more_bytes_less_error():
    source = picture(96, 64)
    found = []
    for crf in (COARSEST, 45, 30, FINEST):
        data = encode_still(source.planes, crf, "fast")
        found.append((len(data), -error(decode_still(data, video_format([source])), source.planes)))
    assert found == sorted(found)
    assert found[0][0] < 150 and found[-1][1] > -6


@pytest.mark.parametrize("preset", ["fast", "medium", "slow"])
def test_the_same_picture_gives_the_same_bytes(preset):
    planes = picture(64, 48).planes
    assert encode_still(planes, 40, preset) == encode_still(planes, 40, preset)


def test_decoded_pictures_are_nobody_elses_memory(still):
    first, second = (decode_still(still, VideoFormat(64, 48)) for _ in range(2))
    first[0][:] = 0
    assert second[0].any()


def test_views_that_are_not_contiguous_are_fine():
    planes = picture(64, 48).planes
    flipped = tuple(np.ascontiguousarray(p[::-1])[::-1] for p in planes)
    assert encode_still(flipped, 40, "fast") == encode_still(planes, 40, "fast")


@pytest.fixture(scope="module")
def chain():
    """Return (pictures, their stills, coded as one chain)."""
    pictures = [picture.planes for picture in pan_clip(33, 128, 96, speed=1)[::8]]
    encoder = StillEncoder((96, 128), 40, 5, boost=8)
    return pictures, [encoder.encode(planes) for planes in pictures]


def test_each_still_of_a_chain_comes_at_once_and_builds_on_those_before(chain):
    pictures, stills = chain
    decoder = StillDecoder(VideoFormat(128, 96))
    errors = [error(decoder.decode(still), planes) for still, planes in zip(stills, pictures, strict=True)]
    assert max(errors) < 40
    alone = [encode_still(planes, 40, "fast") for planes in pictures]
    assert max(map(len, stills[1:])) < 0.7 * min(map(len, alone))


@pytest.mark.parametrize("structure", [LOW_DELAY, LAYERED, ADAPTED])
def test_threads_change_no_byte(chain, structure):
    pictures, _ = chain
    found = []
    for threads in (1, 2, 4):
        with Team(threads).leading():
            encoder = StillEncoder((96, 128), 40, 3, boost=8, structure=structure)
        found.append(list(encoder.encode_all(pictures)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("structure", [LAYERED, ADAPTED])
@pytest.mark.parametrize("count", range(1, 11))
def test_reordered_stills_come_in_the_order_of_their_pictures(structure, count):
    """Decoding a unit returns its own picture at once, whatever further frames the unit contains."""
    pictures = [picture.planes for picture in pan_clip(count, 128, 96, speed=6)]
    stills = list(StillEncoder((96, 128), 40, 5, boost=8, structure=structure).encode_all(pictures))
    decoder = StillDecoder(VideoFormat(128, 96))
    shown = [decoder.decode(still) for still in stills]
    for index, planes in enumerate(shown):
        errors = [error(planes, source) for source in pictures]
        assert errors.index(min(errors)) == index


@pytest.mark.parametrize("structure", [LAYERED, ADAPTED])
def test_a_known_chain_gives_what_one_still_after_another_would_with_fewer_bits(structure):
    header = SequenceHeader(format=VideoFormat(128, 96), mode="flf2v", transition="ancestral", prior="gp/4")
    pictures = [picture.planes for picture in pan_clip(9, 128, 96, speed=2)]
    found = []
    for known, quantiser in ((pictures, 42), ((), 40)):  # They make about the same error.
        chain = StillChain(header, quantiser, 3, known, structure)
        stills = [chain.code(planes) for planes in pictures]
        mean = sum(error(shown, source) for (_, shown), source in zip(stills, pictures, strict=True)) / len(pictures)
        found.append((sum(len(data) for data, _ in stills), mean))
    assert found[0][0] < found[1][0]
    assert found[0][1] < 1.1 * found[1][1]


@pytest.mark.parametrize("structure", [LAYERED, ADAPTED])
def test_a_coarser_quantiser_never_takes_more_bytes(structure):
    header = SequenceHeader(format=VideoFormat(128, 96), mode="flf2v", transition="ancestral", prior="gp/4")
    pictures = [picture.planes for picture in pan_clip(9, 128, 96, speed=2)]
    chains = [StillChain(header, quantiser, 8, pictures, structure) for quantiser in (50, 58, 62, COARSEST_CHAIN)]
    sizes = [sum(chain.sizes()) for chain in chains]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 1.5 * sizes[-1]


@pytest.mark.parametrize("broken", [0, 3, 8])
def test_a_chain_whose_encoder_got_out_of_step_is_coded_again(broken, monkeypatch):
    """On a busy machine an encoder rarely returns undecodable bytes; the stream is the same as without this failure."""
    header = SequenceHeader(format=VideoFormat(128, 96), mode="flf2v", transition="ancestral", prior="gp/4")
    pictures = [picture.planes for picture in pan_clip(9, 128, 96, speed=2)]
    sound = StillChain(header, 40, 8, pictures)
    expected = [sound.code(planes) for planes in pictures]
    encode_all, encoders = StillEncoder.encode_all, []

    def encode_badly(encoder, pictures):
        encoders.append(encoder)
        for index, data in enumerate(encode_all(encoder, pictures)):
            yield b"no still" if index == broken and len(encoders) == 1 else data

    monkeypatch.setattr(StillEncoder, "encode_all", encode_badly)
    chain = StillChain(header, 40, 8, pictures)
    found = [chain.code(planes) for planes in pictures]
    assert len(encoders) == 2
    assert [data for data, _ in found] == [data for data, _ in expected]
    assert all(np.array_equal(a[0], b[0]) for (_, a), (_, b) in zip(found, expected, strict=True))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted as Linux lists them")
def test_a_known_chain_lets_go_of_its_encoder_with_the_last_still():
    """Otherwise two encoders would be in memory while the next chain is planned."""
    header, threads = (
        SequenceHeader(format=VideoFormat(128, 96), mode="flf2v", transition="ancestral", prior="gp/4"),
        [],
    )
    pictures = [picture.planes for picture in pan_clip(9, 128, 96, speed=2)]
    chain = StillChain(header, 40, 8, pictures)
    for planes in pictures:
        chain.code(planes)
        threads.append(len(list(Path("/proc/self/task").iterdir())))
    assert threads[-1] < min(threads[:-1]) - 5  # An encoder has many threads; a few of other tests may start or end.


def test_the_first_still_is_finer_by_its_boost(chain):
    pictures, stills = chain
    video = VideoFormat(128, 96)
    plain = decode_still(encode_still(pictures[0], 40, "fast"), video)
    assert error(decode_still(stills[0], video), pictures[0]) < 0.8 * error(plain, pictures[0])


def test_a_later_still_does_not_stand_by_itself(chain):
    with pytest.raises(BitstreamError, match="still"):
        decode_still(chain[1][1], VideoFormat(128, 96))


def test_a_chain_goes_on_after_a_still_that_cannot_be_decoded(chain):
    pictures, stills = chain
    decoder = StillDecoder(VideoFormat(128, 96))
    decoder.decode(stills[0])
    with pytest.raises(BitstreamError):
        decoder.decode(b"no still")
    assert error(decoder.decode(stills[1]), pictures[1]) < 40


@pytest.mark.parametrize("data", [b"", b"\0", b"no picture at all", bytes(1000), b"\xff" * 50])
def test_other_bytes_are_no_still(data):
    with pytest.raises(BitstreamError, match="still"):
        decode_still(data, VideoFormat(64, 48))


def test_a_still_of_another_size_is_refused(still):
    for video in (VideoFormat(65, 48), VideoFormat(64, 200)):
        with pytest.raises(BitstreamError, match="still"):
            decode_still(still, video)


def test_a_huge_picture_is_refused_before_it_takes_memory():
    big = VideoFormat(1024, 768)
    data = encode_still(tuple(np.zeros(s, np.uint8) for s in big.plane_shapes), COARSEST, "fast")
    with pytest.raises(BitstreamError, match="still"):
        decode_still(data, VideoFormat(64, 48))


def test_two_stills_are_not_one(still):
    with pytest.raises(BitstreamError, match="not one"):
        decode_still(with_last_size(still) + still, VideoFormat(64, 48))


def test_truncated_stills_are_a_picture_or_an_error(still):
    for cut in range(0, len(still), 3):
        try:
            planes = decode_still(still[:cut], VideoFormat(64, 48))
        except BitstreamError:
            continue
        assert planes[0].shape == (48, 64)


@settings(max_examples=150)
@given(st.data())
def test_flipped_bytes_are_a_picture_or_an_error(still, data):
    damaged = bytearray(still)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(still) - 1))] = data.draw(st.integers(0, 255))
    try:
        planes = decode_still(bytes(damaged), VideoFormat(64, 48))
    except BitstreamError:
        return
    assert [p.shape for p in planes] == [(48, 64), (24, 32), (24, 32)]
