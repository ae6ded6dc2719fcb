# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Embeddings of prompts: computed once on a machine, cached, or contained in a model's folder."""

import gc
import json
import shutil
import weakref

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_wan import TEXT_CHANNELS, build_tiny_wan

from gvc.errors import PriorError
from gvc.priors.prompts import EMBEDDING_FILE, KEPT
from gvc.priors.umt5 import text_input
from gvc.priors.wan import WanPrior


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return build_tiny_wan(tmp_path_factory.mktemp("wan"), "t2v")


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "wan")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the cache folder of embeddings, which is a new one for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/gvc/prompts"


def embed(folder, prompt=""):
    return text_input(WanPrior.from_pretrained(folder), prompt)


def spoil_text_encoder(folder):
    """Change a text encoder so that it cannot be loaded, while its size and times seem the same."""
    (weights,) = (folder / "text_encoder").glob("*.safetensors")
    status = weights.stat()
    weights.write_bytes(bytes(status.st_size))


def test_an_embedding_is_kept_for_every_model_with_this_text_encoder(folder, cache, tmp_path):
    first = embed(folder, "a fox")
    (kept,) = cache.iterdir()
    other = build_tiny_wan(tmp_path / "other", "i2v")
    shutil.copytree(folder / "text_encoder", other / "text_encoder", dirs_exist_ok=True)
    content = load_file(kept)
    save_file({name: 2 * tensor for name, tensor in content.items()}, kept, {"prompt": "a fox"})
    assert torch.equal(embed(other, "a fox"), 2 * first)  # The embedding was not computed.
    assert [*cache.iterdir()] == [kept]


def test_other_prompts_and_text_encoders_have_their_own_embeddings(folder, cache, tmp_path):
    other = build_tiny_wan(tmp_path / "other", "t2v", seed=1)
    embeddings = [embed(*case) for case in ((folder, ""), (folder, "a fox"), (other, "a fox"))]
    assert len([*cache.iterdir()]) == 3
    assert not torch.equal(embeddings[0], embeddings[1]) and not torch.equal(embeddings[1], embeddings[2])
    again = [embed(*case) for case in ((folder, ""), (folder, "a fox"), (other, "a fox"))]
    assert all(torch.equal(a, b) for a, b in zip(embeddings, again, strict=True))


def test_only_the_latest_embeddings_stay_in_memory(folder):
    """A stream may have another prompt at each keyframe."""
    prompts = WanPrior.from_pretrained(folder).prompts
    first = weakref.ref(prompts("0")["prompt_embeds"])
    known = prompts("0")["prompt_embeds"].clone()
    for number in range(1, KEPT):
        prompts(str(number))
    assert first() is not None
    prompts("one more")
    gc.collect()
    assert first() is None and torch.equal(prompts("0")["prompt_embeds"], known)


def test_another_tokenizer_is_another_text_encoder(folder, cache):
    before = embed(folder, "a fox")
    path = folder / "tokenizer/tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary[5], vocabulary[6] = vocabulary[6], vocabulary[5]
    vocabulary[4], vocabulary[9] = vocabulary[9], vocabulary[4]
    path.write_text(json.dumps(tokenizer))
    assert not torch.equal(embed(folder, "a fox"), before) and len([*cache.iterdir()]) == 2


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100])
def test_a_damaged_cache_is_made_anew(folder, cache, damage):
    before = embed(folder)
    (kept,) = cache.iterdir()
    kept.write_bytes(damage)
    assert torch.equal(embed(folder), before)
    assert load_file(kept)["prompt_embeds"].shape == (1, 512, TEXT_CHANNELS)


def test_without_a_place_for_the_cache_it_works_all_the_same(folder, cache, monkeypatch):
    before = embed(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "model_index.json"))  # a file instead of a folder
    assert torch.equal(embed(folder), before)


def test_a_folder_may_bring_an_embedding_in_place_of_the_text_encoder(folder, cache):
    before = embed(folder, "a fox")
    (kept,) = cache.iterdir()
    shutil.copy(kept, folder / EMBEDDING_FILE)
    shutil.rmtree(folder / "text_encoder")
    shutil.rmtree(cache)
    assert torch.equal(embed(folder, "a fox"), before)
    with pytest.raises(PriorError, match=r"neither text_encoder/ nor an embedding of the prompt 'a dog'"):
        embed(folder, "a dog")
    (folder / EMBEDDING_FILE).write_bytes(b"\xff" * 100)
    with pytest.raises(PriorError, match=f"{EMBEDDING_FILE} cannot be read"):
        embed(folder, "a fox")
    save_file({"prompt_embeds": torch.zeros(1, 512, 8)}, folder / EMBEDDING_FILE, {"prompt": "a fox"})
    with pytest.raises(PriorError, match="is of another model than wan/t2v"):
        embed(folder, "a fox")


@pytest.mark.parametrize("part", ["text_encoder", "tokenizer"])
def test_what_is_missing_is_named(folder, part):
    shutil.rmtree(folder / part)
    with pytest.raises(PriorError, match=f"neither {part}/ nor an embedding .* fetch {part}/ of the model too"):
        embed(folder)


@pytest.mark.parametrize("entry", [None, [None, None], ["transformers", "NoSuchModel"]])
def test_an_index_without_a_text_encoder_is_refused(folder, entry):
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "text_encoder": entry}))
    with pytest.raises(PriorError, match="names no text_encoder"):
        embed(folder)


def test_a_damaged_text_encoder_is_named(folder):
    spoil_text_encoder(folder)
    with pytest.raises(PriorError, match=r"cannot load .*text_encoder .*fetch the model again"):
        embed(folder)


def test_a_text_encoder_without_all_its_weights_is_refused(folder):
    (weights,) = (folder / "text_encoder").glob("*.safetensors")
    tensors = load_file(weights)
    gone = next(name for name in tensors if "SelfAttention.q" in name)
    save_file({name: tensor for name, tensor in tensors.items() if name != gone}, weights, {"format": "pt"})
    with pytest.raises(PriorError, match=f"lacks the weights {gone}"):
        embed(folder)


def test_a_damaged_tokenizer_is_named(folder):
    (folder / "tokenizer/tokenizer.json").write_text("{")
    with pytest.raises(PriorError, match=r"cannot load .*tokenizer .*fetch the model again"):
        embed(folder)
