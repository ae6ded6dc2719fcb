# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc models`, and what names of models never do: fetch anything."""

import json
import os
import shlex
import socket
from dataclasses import replace

import pytest
from gvc_container.demux import Demuxer
from gvc_container.mux import Muxer
from test_cli import FAST, clip, gvc

from gvc.bitstream import read_packet
from gvc.bitstream.packet import write_gop
from gvc.bitstream.sequence import write_sequence_header
from gvc.cli.models import show_models
from gvc.options import ENCODER_OPTIONS, parse_options
from gvc.priors.catalogue import MODELS

SHARDED = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}


def put(folder, *names, index=None):
    """Write small files in place of a network's."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("{}")
    if index:
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Return a folder as the hub's client makes it: a whole model, one without text, one with half of its weights."""
    root = tmp_path_factory.mktemp("hub")
    for hub_id, text, names, index in (
        ("Wan-AI/Wan2.1-VACE-1.3B-diffusers", True, ["model-1-of-2.safetensors", "model-2-of-2.safetensors"], SHARDED),
        ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", False, ["weights.safetensors"], None),
        ("Wan-AI/Wan2.1-T2V-14B-Diffusers", True, ["model-1-of-2.safetensors"], SHARDED),
        ("somebody/else", True, ["weights.safetensors"], None),
    ):
        folder = root / f"models--{hub_id.replace('/', '--')}"
        model = folder / "snapshots" / "0123456789"
        put(model, "model_index.json")
        put(model / "transformer", "config.json", *names, index=index)
        put(model / "vae", "config.json", "weights.safetensors")
        if text:
            put(model / "text_encoder", "config.json", "weights.safetensors")
            put(model / "tokenizer", "tokenizer.json")
        put(folder / "refs")
        (folder / "refs" / "main").write_text("0123456789")
    return root


@pytest.fixture
def hub(cache):
    """Return variables with a hub on this machine; the test fails if anybody connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield os.environ | {
            "HF_HUB_CACHE": str(cache),
            "HF_ENDPOINT": address,
            "http_proxy": address,
            "https_proxy": address,
        }
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_all_models_are_listed_with_what_is_in_the_cache(hub):
    found = json.loads(gvc("models", "--json", env=hub).stdout)
    models = {model["name"]: model for model in found["models"]}
    assert list(models) == [model.name for model in MODELS]
    assert [model["prior"] for model in found["bundled"]][:2] == ["gp", "neural"]
    assert found["machine"]["main_memory"] > 0 and found["missing"] == []
    states = {
        name: (cached["complete"], cached["lacks"], cached["lacks_text"])
        for name, model in models.items()
        if (cached := model["cache"])
    }
    assert states == {
        "wan/vace-1.3b": (True, [], []),
        "wan/t2v-1.3b": (False, [], ["text_encoder", "tokenizer"]),
        "wan/t2v-14b": (False, ["transformer"], []),
    }


def test_the_commands_are_commands_of_gvc(capsys):
    """Where a model does not fit, there is no command, and no settings."""
    names = {option.name for option in ENCODER_OPTIONS}
    show_models("", as_json=True)
    found = json.loads(capsys.readouterr().out)
    for model in [*found["bundled"], *found["models"]]:
        if model["command"] is None:
            assert model["settings"] is None
            continue
        words = shlex.split(model["command"])
        assert words[:2] == ["gvc", "encode"] and {word[2:] for word in words[4::2]} <= names
        options = parse_options(ENCODER_OPTIONS, {k[2:]: v for k, v in zip(words[4::2], words[5::2], strict=True)})
        assert options.mode in model["modes"] and options.prior == model["prior"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("wan:Wan-AI/Wan2.1-T2V-14B-Diffusers", ["wan/t2v-14b", "832x480, 1280x720"]),
        ("Lightricks/LTX-Video", ["ltx/2b-0.9", "OpenRAIL-M"]),
        ("skyreels/df", ["skyreels/df-1.3b", "skyreels/df-14b-540p", "skyreels/df-14b-720p"]),
        ("ltx", ["ltx/2b-0.9", "ltx/2b-0.9.1", "ltx/2b-0.9.5", "ltx/13b-0.9.7"]),
        ("gp", ["gvc encode film.mp4 film.mkv --prior gp"]),
    ],
)
def test_models_are_found_by_any_of_their_names(capsys, name, shown):
    show_models(name, as_json=False)
    text = capsys.readouterr().out
    assert all(part in text for part in shown)
    assert "vace" not in text


def test_the_details_of_a_model_say_what_its_folder_lacks(hub, cache):
    text = gvc("models", "wan/t2v-14b", env=hub).stdout
    assert f"in the cache without transformer: {cache}" in text
    assert "    hf download Wan-AI/Wan2.1-T2V-14B-Diffusers\n" in text
    assert "    gvc bench --random wan/t2v-14b\n" in text


def test_an_unknown_model_is_refused_in_one_sentence(hub):
    said = gvc("models", "wan/7b", code=2, env=hub).stderr
    assert said.count("\n") == 1 and "'wan/7b' is unknown; valid: gp, neural, wan:tiny, wan/t2v-1.3b" in said


def test_the_doctor_names_models_of_the_cache(hub):
    assert "of 2 in the cache can run here" in gvc("doctor", env=hub).stdout


@pytest.mark.parametrize("name", ["wan/t2v", "somebody/else"])
def test_a_stream_never_makes_gvc_fetch_a_model(hub, tmp_path, name):
    """Names in streams may look like those of the hub."""
    source, coded = clip(tmp_path / "source.mkv", frames=3), tmp_path / "coded.mkv"
    gvc("encode", source, coded, *FAST)
    with Demuxer(coded) as demuxer:
        header, packet = demuxer.sequence, next(demuxer.packets())
    unit = replace(read_packet(packet.data), header=replace(header, prior=name))
    with Muxer(tmp_path / "renamed.mkv", write_sequence_header(unit.header), header.format) as muxer:
        muxer.write(replace(packet, data=write_gop(unit)))
    said = gvc("decode", tmp_path / "renamed.mkv", tmp_path / "out.mkv", code=4, env=hub).stderr
    assert f"made with the prior {name}; " in said
    assert ("gvc models wan/t2v" in said) == (name == "wan/t2v")
