# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of models: it agrees with the code of the families and with docs/MODELS.md."""

from pathlib import Path

import pytest

from gvc.cli.models_page import page
from gvc.errors import OptionError, PriorError
from gvc.prior import ModelOptions
from gvc.priors import FAMILIES, open_untrained
from gvc.priors.catalogue import MODELS
from gvc.priors.memory import GIB, Machine, Need, fitting, need
from gvc.priors.model_path import HUB_ID

BY_NAME = {model.name: model for model in MODELS}
WITH_SHAPES = [model.name for model in MODELS if model.shape]
ROOT = Path(__file__).parents[1]


def test_the_page_of_models_is_current():
    text = (ROOT / "docs" / "MODELS.md").read_text()
    assert text == page(text), "run python -m gvc.cli.models_page docs/MODELS.md"


def test_names_tell_models_apart():
    assert len(BY_NAME) == len({model.hub_id for model in MODELS}) == len(MODELS)
    assert {model.family for model in MODELS} == {model.stream_name.partition("/")[0] for model in MODELS}
    assert {model.family for model in MODELS} <= set(FAMILIES)
    assert all(HUB_ID.fullmatch(model.hub_id) for model in MODELS)


@pytest.mark.parametrize("name", WITH_SHAPES)
def test_a_model_with_a_shape_is_as_the_catalogue_says(name):
    """The networks are made without memory, on torch's device "meta"."""
    model = BY_NAME[name]
    prior = open_untrained(name, ModelOptions(device="meta"))
    assert (prior.name, prior.modes) == (model.stream_name, model.modes)
    for network, billions in ((prior.network, model.network), (prior.vae, model.vae)):
        assert sum(p.numel() for p in network.parameters()) / 1e9 == pytest.approx(billions, rel=0.005)


def test_models_without_a_shape_cannot_be_made():
    with pytest.raises(OptionError, match=r"valid: wan/t2v-1\.3b, .* wan/i2v-a14b, wan/ti2v-5b"):
        open_untrained("wan/t2v-7b")
    with pytest.raises(PriorError, match="leave quantize=none"):
        open_untrained("wan/t2v-1.3b", ModelOptions(quantize="int8"))


# What fits


def machine(main: float, accelerator: float = 0) -> Machine:
    return Machine(int(main * GIB), "cuda:0" if accelerator else "", int(accelerator * GIB))


@pytest.mark.parametrize(
    ("name", "where", "settings"),
    [
        ("wan/t2v-1.3b", machine(64, 24), ("auto", "none", False, "none")),
        ("wan/t2v-1.3b", machine(64, 18), ("auto", "none", True, "none")),
        ("wan/t2v-1.3b", machine(64, 16), ("auto", "model", True, "none")),
        ("wan/t2v-1.3b", machine(64, 8), ("auto", "group", True, "none")),
        ("wan/t2v-14b", machine(64, 24), ("auto", "group", False, "none")),
        ("wan/t2v-14b", machine(32, 32), ("auto", "none", True, "int8")),
        ("wan/t2v-1.3b", machine(64), ("auto", "none", False, "none")),
        ("wan/t2v-1.3b", machine(18), ("bfloat16", "none", True, "none")),
    ],
)
def test_a_model_is_fitted_into_a_machine(name, where, settings):
    found = fitting(BY_NAME[name], where)
    assert (found.dtype, found.offload, found.tiling, found.quantize) == settings
    assert found.device == (where.device or "cpu")


def test_a_model_that_is_too_large_does_not_fit():
    assert fitting(BY_NAME["wan/t2v-a14b"], machine(32, 8)) is None
    assert fitting(BY_NAME["wan/t2v-14b"], machine(8)) is None


def test_less_is_needed_with_each_way_to_save_memory():
    model = BY_NAME["wan/t2v-a14b"]
    needs = [need(model, ModelOptions("cuda", offload=offload)) for offload in ("none", "model", "group", "sequential")]
    sizes = [wanted.accelerator for wanted in needs]
    assert sizes == sorted(sizes, reverse=True)
    assert len({wanted.main for wanted in needs[1:]}) == 1  # Main memory holds all weights with any offload
    assert need(model, ModelOptions("cpu", "bfloat16")).main < need(model, ModelOptions("cpu")).main
    assert need(model, ModelOptions("cpu")) == Need(need(model, ModelOptions("cpu", "float32")).main)
