# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bundled model `wan:tiny`: a trained rectified flow, from pictures to bytes and back."""

from dataclasses import replace
from pathlib import Path

import clips
import pytest
import torch
from fresh import digest, digests_in_a_fresh_process
from gvc_container.probe import Bytes
from small_streams import watch

from benchmarks.tiny import VIDEO, small
from gvc.bitstream import read_packet
from gvc.errors import PriorError
from gvc.media import Packet, Picture
from gvc.modes import Mode
from gvc.priors import open_prior
from gvc.priors.catalogue import BUNDLED

torch.set_num_threads(1)  # Decoding in a fresh process uses one thread, and their number affects the last bits.
CLIP = Path(__file__).parents[1] / "assets" / "city_416x240.mp4"
PICTURES, QUALITY = 17, 30
# Bytes without headers and PSNR of luma in dB of the clip in each mode. Other processors compute other last bits.
EXPECTED = {"t2v": (142, 18.57), "i2v": (818, 19.07), "flf2v": (1745, 19.40)}


@pytest.fixture(scope="module")
def pictures():
    return [Picture(planes, pts=i, duration=1) for i, planes in enumerate(small(CLIP, PICTURES))]


@pytest.fixture(scope="module")
def coded(pictures):
    """Return extradata, packets and the encoder's pictures for each mode."""
    options = {"prior": "wan:tiny", "gop": PICTURES, "quality": QUALITY, "threads": 1}
    return {str(mode): clips.encode(pictures, VIDEO, mode=str(mode), **options) for mode in Mode}


def bytes_of(packets: list[Packet]) -> Bytes:
    """Return the numbers of bytes in packets by their use."""
    used = Bytes()
    for packet in packets:
        used.add(packet.data, read_packet(packet.data))
    return used


@pytest.mark.parametrize("mode", EXPECTED)
def test_it_codes_a_clip_in_as_many_bytes_as_ever(coded, pictures, mode):
    _, packets, shown = coded[mode]
    used, (size, quality) = bytes_of(packets), EXPECTED[mode]
    assert used.stills + used.tails + used.side + used.atoms == pytest.approx(size, rel=0.02)
    assert clips.psnr(shown, pictures) == pytest.approx(quality, abs=0.2)


def test_known_pictures_save_atoms(coded):
    """A model that learned nothing of them would need as many for each mode."""
    t2v, i2v, flf2v = (bytes_of(coded[mode][1]).atoms for mode in ("t2v", "i2v", "flf2v"))
    assert t2v > 1.2 * i2v and t2v > 1.2 * flf2v


def test_a_decoder_finds_the_model_by_the_hash_in_the_stream(coded):
    streams = [(extradata, packets, "") for extradata, packets, _ in coded.values()]
    assert digests_in_a_fresh_process(streams) == [digest(shown) for _, _, shown in coded.values()]


def test_a_cut_off_packet_costs_some_atoms(coded, pictures):
    """What is there of them is used: it looks better than with hardly any."""
    extradata, packets, shown = coded["t2v"]
    whole, atoms = packets[0].data, len(read_packet(packets[0].data).atoms)
    quality = []
    for cut in (atoms // 4, atoms - 2):
        found, errors = watch(extradata, [replace(packets[0], data=whole[:-cut]), *packets[1:]], prior="wan:tiny")
        assert [error.element for error in errors] == ["atoms"] and all(picture.concealed for picture in found)
        quality.append(clips.psnr(found, pictures))
    assert clips.psnr(shown, pictures) > quality[0] > quality[1]


def test_the_catalogue_knows_the_hash_of_its_weights():
    prior = open_prior("wan:tiny")
    entry = next(model for model in BUNDLED if model.prior == "wan:tiny")
    assert (prior.name, prior.weights_hash.hex(), prior.modes) == (entry.stream_name, entry.weights_hash, entry.modes)


def test_a_folder_of_the_user_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    with pytest.raises(PriorError, match=r"tiny.*model_index\.json"):
        open_prior("wan:tiny")
