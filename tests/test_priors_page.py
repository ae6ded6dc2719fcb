# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The example of docs/PRIORS.md runs, and codes video once it is registered as the page says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from clips import decode, encode, moving_clip, psnr, same, stack, video_format

import gvc.priors
from gvc.errors import OptionError, PriorError
from gvc.prior import Condition

PAGE = Path(__file__).parents[1] / "docs" / "PRIORS.md"
(EXAMPLE,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def toy(monkeypatch):
    """Install the page's example as the module gvc.priors.toy, and list it among the families."""
    module = ModuleType("gvc.priors.toy")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(EXAMPLE, f"{PAGE}: example", "exec"), vars(module))
    monkeypatch.setitem(gvc.priors.FAMILIES, "toy", "ToyPrior")
    return module


def test_the_example_finds_its_estimate_better_than_the_mean(capsys):
    exec(compile(EXAMPLE, f"{PAGE}: example", "exec"), {"__name__": "__main__"})
    mean, estimate = (float(line.rsplit(" ", 1)[1]) for line in capsys.readouterr().out.splitlines())
    assert 0 < estimate < 0.8 * mean


@pytest.mark.parametrize("mode", ["t2v", "i2v"])
@pytest.mark.parametrize(("width", "height", "frames"), [(64, 48, 12), (33, 17, 1), (1, 1, 2)])
def test_the_example_codes_video(toy, mode, width, height, frames):
    pictures = moving_clip(frames, width, height)
    options = {"prior": "toy:no/place", "mode": mode, "gop": 9, "preset": "fast", "quality": 30}
    for transition in ("ancestral", "sde"):
        extradata, packets, seen = encode(pictures, transition=transition, **options)
        assert same(decode(extradata, packets, prior="toy:no/place"), seen)


def test_the_example_gets_better_with_more_bits_up_to_what_its_cells_can_show(toy):
    pictures = moving_clip(9)
    results = [encode(pictures, prior="toy:no/place", mode="t2v", gop=9, quality=q)[2] for q in (0, 40, 80)]
    quality = [psnr(pictures, seen) for seen in results]
    prior = toy.ToyPrior().condition(Condition(video_format(pictures), 9), b"")
    cells = prior.decode_latent(prior.encode_latent(stack(pictures)), 0.0)
    ceiling = 10 * np.log10(255**2 / np.mean((stack(pictures)[0].astype(float) - cells[0]) ** 2))
    assert quality[0] < quality[1] < quality[2] < ceiling + 0.1
    assert quality[2] > ceiling - 1


def test_the_example_is_refused_where_it_does_not_fit(toy):
    extradata, packets, _ = encode(moving_clip(3), prior="toy:no/place", mode="t2v")
    with pytest.raises(PriorError, match="give its weights with prior=toy:FOLDER"):
        decode(extradata, packets)
    with pytest.raises(OptionError, match="cannot work in mode=flf2v; valid: t2v, i2v"):
        encode(moving_clip(3), prior="toy:no/place", mode="flf2v")


def test_links_of_the_page_lead_somewhere():
    text = PAGE.read_text("utf-8")
    titles = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^## (.*)$", text, re.M)]
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target[1:] in titles if target.startswith("#") else (PAGE.parent / target).exists(), target
