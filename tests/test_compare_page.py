# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The page of `gvc compare --html`, used in a real browser as a reader would."""

import re
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from browser import Browser, program
from test_compare import QUICK, gvc

pytestmark = pytest.mark.skipif(not program(), reason="there is no Chromium here (Debian: apt-get install chromium)")

COUNT, RATE = 12, 25
SIZE = 256, 160
NEAR = 10  # levels that WebP and 4:2:0 may change a colour by
NAMES = ("source.mkv", "<b>one&.mkv", "two.mkv")
PIXEL = """window.pixel = (across) => { // reads a copy, since reading changes how a canvas is kept
  const canvas = document.getElementById("picture");
  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, -canvas.width * across, -canvas.height / 2);
  return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
}; 0"""
WATCH = """window.seen = []; window.began = performance.now();
new MutationObserver(() => seen.push(Number(document.getElementById("picture").dataset.shown)))
  .observe(document.getElementById("picture"), { attributeFilter: ["data-shown"] }); 0"""
CELLS = "[...document.querySelectorAll('#figures tr')].map(row => [...row.cells].map(cell => cell.innerText))"
LOW = "[...document.querySelectorAll('button, select, input')].filter(e => e.offsetHeight < 44).length"
PHONE = {"width": 390, "height": 844, "phone": True}


def colour(film, frame, right):
    """Return the colour of one half of a picture: red for the frame, green for the film, blue for the half."""
    return 20 + 18 * frame, 40 + 80 * film, 200 if right else 60


def write_film(path, film):
    with av.open(str(path), "w") as output:
        track = output.add_stream("ffv1", rate=RATE, width=SIZE[0], height=SIZE[1], pix_fmt="bgr0")
        for i in range(COUNT):
            pixels = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
            pixels[:, : SIZE[0] // 2], pixels[:, SIZE[0] // 2 :] = colour(film, i, False), colour(film, i, True)
            output.mux(track.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="bgr0")))
        output.mux(track.encode(None))
    return path


@dataclass
class Page:
    """The page, open in a browser."""

    browser: Browser
    path: Path

    def box(self, name):
        """Left, top, width and height of an element, once it is scrolled into view."""
        return self.browser.run(
            f"(() => {{ const e = document.getElementById('{name}'); e.scrollIntoView({{block: 'center'}}); "
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )

    def spot(self, name, across=0.5, down=0.5):
        """Return a point in an element, given as shares of its size."""
        left, top, width, height = self.box(name)
        return left + across * width, top + down * height

    def click(self, name, across=0.5, down=0.5):
        self.browser.click(*self.spot(name, across, down))

    def text(self, name):
        return self.browser.run(f"document.getElementById('{name}').textContent")

    def focus(self, name):
        self.browser.run(f"document.getElementById('{name}').focus()")

    def wipe(self):
        """Return the position of the boundary in percent, as a screen reader gets it."""
        return int(self.browser.run("document.getElementById('wipe').getAttribute('aria-valuenow')"))

    def shows(self, film, frame, across, *, right=None):
        """Wait until the stage shows a film's frame at a horizontal position."""
        red, green, blue = colour(film, frame, across > 0.5 if right is None else right)
        self.browser.wait_for(
            f"pixel({across}).every((value, i) => Math.abs(value - {[red, green, blue]}[i]) < {NEAR})"
        )
        assert self.text("readout").startswith(f"frame {frame + 1} of {COUNT}, {frame / RATE:.2f} s")

    def open(self, **how):
        self.browser.open(self.path, **how)
        self.browser.run(PIXEL)
        self.shows(0, 0, 0.25)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    films = [write_film(folder / name, i) for i, name in enumerate(NAMES)]
    gvc("compare", *films, *QUICK, "--html", folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser, report):
    page = Page(browser, report)
    page.open()
    yield page
    assert browser.complaints() == []
    assert browser.requests() == [report.as_uri()]


def test_it_opens_with_the_reference_left_and_the_next_right(page):
    page.shows(0, 0, 0.45)
    page.shows(1, 0, 0.55)
    assert page.text("title") == f"gvc compare: {' · '.join(NAMES)}"
    table = page.browser.run(CELLS)
    assert table[0] == ["", *NAMES]
    rows = {label: cells for label, *cells in table[1:]}
    assert rows["size"] == ["256x160"] * 3
    psnr = rows["PSNR RGB, dB ↑"]
    assert psnr[0] == "–" and float(psnr[1]) > float(psnr[2])
    assert page.browser.run("document.querySelector('td.best').innerText") == psnr[1]


def test_slider_moves_the_picture(page):
    page.click("frame", across=0.5)
    middle = int(page.browser.run("document.getElementById('frame').value"))
    assert middle in (5, 6)
    page.shows(0, middle, 0.25)
    page.browser.drag(page.spot("frame", 0.5), page.spot("frame", 0.99))
    page.shows(0, COUNT - 1, 0.25)


def test_boundary_is_dragged(page):
    page.browser.drag(page.spot("wipe"), page.spot("stage", 0.2))
    assert page.wipe() == 20
    page.shows(0, 0, 0.15)
    page.shows(1, 0, 0.25)
    # Without zoom the boundary can be dragged from anywhere.
    page.browser.drag(page.spot("stage", 0.6), page.spot("stage", 0.9))
    assert page.wipe() == 90
    page.shows(0, 0, 0.85)


def test_boundary_obeys_keys(page):
    page.focus("wipe")
    page.browser.press("ArrowLeft")
    assert page.wipe() == 48
    page.browser.press("End")
    assert page.wipe() == 100
    page.shows(0, 0, 0.95)  # The frame has not changed.


def test_keys_step_through_frames(page):
    for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 11), ("ArrowRight", 11)):
        page.browser.press(key)
        page.shows(1, frame, 0.75)
    page.focus("frame")  # The slider has keys of its own; a key still moves by exactly one frame.
    page.browser.press("ArrowLeft")
    page.shows(1, 10, 0.75)
    page.browser.press("Home")
    page.shows(1, 0, 0.75)


def test_play_advances_to_the_end(page):
    page.browser.run(WATCH)
    page.click("play")
    assert page.text("play") == "Pause"
    page.browser.wait_for("document.getElementById('play').textContent === 'Play'")
    page.shows(0, COUNT - 1, 0.25)
    seen = page.browser.run("seen")
    assert seen == sorted(seen) and len(set(seen)) > 2
    assert page.browser.run("performance.now() - began") > 900 * (COUNT - 1) / RATE  # no faster than the film


def test_space_pauses_and_goes_on(page):
    page.browser.press(" ")
    page.browser.wait_for("Number(document.getElementById('frame').value) > 0")
    page.browser.press("ArrowLeft")  # A manual step pauses.
    assert page.text("play") == "Play"
    frame = int(page.browser.run("document.getElementById('frame').value"))
    page.shows(0, frame, 0.25)
    page.browser.press(" ")
    page.browser.wait_for(f"Number(document.getElementById('frame').value) === {COUNT - 1}")


def test_any_two_films(page):
    page.focus("right")
    page.browser.press("ArrowDown")
    page.shows(2, 0, 0.75)
    page.focus("left")
    page.browser.press("ArrowDown")
    page.shows(1, 0, 0.25)
    label = page.browser.run("document.getElementById('picture').getAttribute('aria-label')")
    assert label == f"Frame 1: {NAMES[1]} to the left, {NAMES[2]} to the right"


def test_click_on_a_curve_jumps(page):
    left, top, width, height = page.box("chart")
    plot = width - 56  # The plot does not include the labels of the axis.
    page.browser.click(left + 48 + plot * 8 / 11, top + height / 2)
    page.shows(0, 8, 0.25)
    page.browser.drag((left + 50, top + 50), (left + 48 + plot * 3 / 11, top + 20))
    page.shows(0, 3, 0.25)
    assert page.browser.run("document.querySelectorAll('#chart path[data-film]').length") == 2


def test_metrics_have_curves(page):
    values = page.text("legend")
    assert NAMES[1] in values and len(re.findall(r"\d+\.\d\d dB", values)) == 2
    page.focus("metric")
    page.browser.press("ArrowDown")
    assert page.text("legend") != values
    assert "PSNR Y" in page.browser.run("document.getElementById('chart').getAttribute('aria-label')")


def test_zoom_and_pan(page):
    page.browser.mouse("mouseWheel", *page.spot("stage", 0.25), pressed=False, deltaX=0, deltaY=-400, modifiers=2)
    assert page.text("fit") == "4×"
    page.shows(0, 0, 0.45, right=False)
    page.shows(1, 0, 0.95, right=False)  # The left part is enlarged.
    page.browser.drag(page.spot("stage", 0.8), page.spot("stage", 0.3))
    page.shows(0, 0, 0.4, right=False)
    page.browser.drag(page.spot("stage", 0.8), page.spot("stage", 0.1))
    page.shows(1, 0, 0.95, right=True)
    assert page.wipe() == 50
    page.browser.press("0")
    assert page.text("fit") == "1×"
    page.shows(0, 0, 0.25)
    page.click("in")
    page.browser.press("+")
    assert page.text("fit") == "4×"


def test_on_a_phone(page):
    page.open(**PHONE)
    assert page.browser.run("document.documentElement.scrollWidth") == 390
    assert page.browser.run(LOW) == 0  # No control is smaller than 44 pixels, the width of a finger.
    x, y = page.spot("wipe")
    page.browser.touch([(x, y), (x - 50, y), (x - 100, y)])
    assert page.wipe() < 30
    page.shows(1, 0, 0.4, right=False)
    x, y = page.spot("stage")
    page.browser.touch([(x - 20, y), (x - 40, y), (x - 60, y)], [(x + 20, y), (x + 40, y), (x + 60, y)])
    assert page.text("fit") == "3×"


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(page, dark):
    """Contrast is at least 4.5:1 for text and 3:1 for lines (WCAG 2.2, level AA)."""
    page.open(dark=dark)
    script = "(n => getComputedStyle(document.documentElement).getPropertyValue(n).trim())('--{}')"
    colours = {n: page.browser.run(script.format(n)) for n in ("back", "panel", "fore", "soft", "focus", "line")}
    colours |= {f"c{i}": page.browser.run(script.format(f"c{i}")) for i in range(6)}
    shown = page.browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", shown))) < 200) == dark
    for name in colours.keys() - {"back", "panel"}:
        assert contrast(colours[name], colours["back"]) >= (4.5 if name in ("fore", "soft") else 3), name
    assert contrast(colours["fore"], colours["panel"]) >= 4.5


def contrast(a, b):
    """Return the contrast ratio of two colours in the form #abc or #aabbcc."""
    brightness = []
    for text in (a, b):
        digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
        values = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        brightness.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(brightness) / min(brightness)


def test_all_controls_have_names_and_can_be_reached(page):
    assert page.browser.unnamed() == []
    reached = []
    for _ in range(12):
        page.browser.press("Tab")
        reached.append(page.browser.run("document.activeElement.id"))
        if reached[-1]:
            assert page.browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    expected = ["left", "out", "fit", "in", "right", "wipe", "play", "frame", "metric", "scroller"]
    assert [name for name in reached if name in expected][:10] == expected
