# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC without the packages of its extras: what works without them, and the error messages for the rest."""

import os
import tomllib
from pathlib import Path

import pytest
import test_cli
from test_cli import FAST, clip

from gvc.extras import EXTRAS, packages

ROOT = Path(__file__).resolve().parent.parent
MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL"}  # module of a package, if their names differ


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """Return environment variables with which Python finds no package of any extra."""
    folder = tmp_path_factory.mktemp("light")
    for package in packages("all"):
        name = MODULES.get(package, package.replace("-", "_"))
        reason = f"No module named {name!r}"
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError({reason!r}, name={name!r})\n")
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def gvc(light):
    return lambda *args, **keywords: test_cli.gvc(*args, env=light, **keywords)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("films") / "source.mkv")


@pytest.fixture(scope="module")
def coded(gvc, source):
    path = source.with_name("coded.mkv")
    gvc("encode", source, path, "--verify", *FAST)
    return path


def test_packages_are_those_of_the_extras():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {*EXTRAS} < {*extras}
    assert packages("neural") == ["safetensors", "torch"]
    assert {*packages("all")} == {package for extra in EXTRAS for package in packages(extra)}
    assert not {*packages()} & {*packages("all"), "pybind11"}


def test_coding_and_looking_needs_none(gvc, source, coded, tmp_path):
    gvc("decode", coded, tmp_path / "decoded.mkv")
    assert "gp/" in gvc("info", coded).stdout
    table = gvc("compare", source, coded).stdout
    assert "PSNR Y" in table and "pip install 'gvc[metrics]'" in table


def test_auto_is_gp_and_says_why(gvc, source, tmp_path):
    said = gvc("encode", source, tmp_path / "auto.mkv", "--prior", "auto", *FAST).stderr
    assert "prior gp: " in said and "pip install 'gvc[neural]'" in said
    assert "gp/" in gvc("info", tmp_path / "auto.mkv").stdout


@pytest.mark.parametrize(
    ("prior", "extra"), [("neural", "neural"), ("wan:{}", "models"), ("ltx:{}", "models"), ("wan:ORG/NAME", "models")]
)
def test_a_prior_names_its_extra(gvc, source, tmp_path, prior, extra):
    film = tmp_path / "film.mkv"
    said = gvc("encode", source, film, "--prior", prior.format(tmp_path), code=4).stderr
    assert said.count("\n") == 1 and f"pip install 'gvc[{extra}]'" in said
    assert not film.exists()


def test_models_are_listed_and_their_extra_named(gvc):
    said = gvc("models").stdout
    assert "missing: " in said and "pip install 'gvc[models]'" in said
    assert "wan/vace-1.3b" in said


def test_a_stream_names_its_extra(gvc, source, tmp_path):
    test_cli.gvc("encode", source, tmp_path / "neural.mkv", "--prior", "neural", *FAST)
    said = gvc("decode", tmp_path / "neural.mkv", tmp_path / "decoded.mkv", code=4).stderr
    assert said.count("\n") == 1 and "pip install 'gvc[neural]'" in said


def test_a_warm_engine_that_is_to_load_a_model_names_its_extra(gvc, tmp_path):
    said = gvc("serve", "--preload", "wan:ORG/NAME", code=4).stderr
    assert "pip install 'gvc[models]'" in said


@pytest.mark.parametrize("words", [("--prior", "neural"), ("--random", "wan/t2v-1.3b")])
def test_a_benchmark_names_its_extra(gvc, words):
    assert "pip install 'gvc[" in gvc("bench", "--size", "64x64", "--frames", "5", *words, code=4).stderr


@pytest.mark.parametrize(("flag", "name"), [("--html", "page.html"), ("--video", "film.mkv"), ("--wipe", "film.mkv")])
def test_what_draws_pictures_names_its_extra(gvc, coded, tmp_path, flag, name):
    said = gvc("compare", coded, coded, flag, tmp_path / name, code=1).stderr
    assert said.count("\n") == 1 and flag in said and "pip install 'gvc[metrics]'" in said
    assert not (tmp_path / name).exists()


def test_a_cluster_names_its_extra(gvc, source, tmp_path):
    said = gvc("encode", source, tmp_path / "film.mkv", "--cluster", "local", code=1).stderr
    assert said.count("\n") == 1 and "pip install 'gvc[cluster]'" in said
    assert [*tmp_path.iterdir()] == []
