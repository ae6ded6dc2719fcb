// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// `data` is written by gvc/compare/report.py. "Shown" frames have pictures in the page; curves have all frames.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const state = { shown: 0, left: 0, right: 1, wipe: 0.5, zoom: 1, x: 0, y: 0, metric: 0, playing: false };
const CACHED = 64; // largest number of decoded pictures in memory
const MOST_ZOOM = 16;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function element(parent, name, text = "", attributes = {}) {
  const svg = name === "svg" || parent.namespaceURI.endsWith("svg");
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return parent.appendChild(made);
}

// Pictures

const cache = new Map();

function picture(shown, film) {
  const key = `${shown} ${film}`;
  if (!cache.has(key)) {
    const image = new Image();
    image.src = data.image_type + data.shown[shown].pictures[film];
    cache.set(key, image.decode().then(() => image));
    if (cache.size > CACHED) cache.delete(cache.keys().next().value);
  }
  return cache.get(key);
}

let drawing = false;
let stale = false;

/** Draw the current state. Changes that come while pictures are being decoded are drawn together afterwards. */
async function draw() {
  stale = true;
  if (drawing) return;
  drawing = true;
  try {
    while (stale) {
      stale = false;
      paint(await Promise.all([picture(state.shown, state.left), picture(state.shown, state.right)]));
    }
  } finally {
    drawing = false;
  }
}

function paint(images) {
  const canvas = $("picture");
  const context = canvas.getContext("2d");
  const scale = (canvas.width / data.width) * state.zoom;
  const edge = Math.round(canvas.width * state.wipe);
  context.imageSmoothingEnabled = scale < 3; // at larger scales single pixels stay visible
  images.forEach((image, side) => {
    context.save();
    context.beginPath();
    context.rect(side ? edge : 0, 0, side ? canvas.width - edge : edge, canvas.height);
    context.clip();
    context.drawImage(image, -state.x * scale, -state.y * scale, data.width * scale, data.height * scale);
    context.restore();
  });
  canvas.dataset.shown = state.shown;
}

function fitStage() {
  const room = $("stage").parentElement.clientWidth;
  const width = Math.min(room, (window.innerHeight * 0.7 * data.width) / data.height);
  const canvas = $("picture");
  $("stage").style.width = `${width}px`;
  $("stage").style.height = `${(width * data.height) / data.width}px`;
  canvas.width = Math.round(width * window.devicePixelRatio);
  canvas.height = Math.round((canvas.width * data.height) / data.width);
  draw();
}

// Frames

function setShown(shown) {
  state.shown = clamp(shown, 0, data.shown.length - 1);
  const { frame } = data.shown[state.shown];
  const seconds = `${data.seconds[frame].toFixed(2)} s`;
  $("frame").value = state.shown;
  $("frame").setAttribute("aria-valuetext", `frame ${frame + 1}, ${seconds}`);
  $("readout").textContent = `frame ${frame + 1} of ${data.seconds.length}, ${seconds}`;
  describe();
  drawNow();
  draw();
}

function describe() {
  const [left, right] = [state.left, state.right].map((film) => data.films[film]);
  const frame = data.shown[state.shown].frame + 1;
  $("picture").setAttribute("aria-label", `Frame ${frame}: ${left} to the left, ${right} to the right`);
}

/** Return the index of the shown frame nearest to a time in seconds. */
function shownAt(seconds) {
  const distance = ({ frame }) => Math.abs(data.seconds[frame] - seconds);
  return data.shown.reduce((best, _, i) => (distance(data.shown[i]) < distance(data.shown[best]) ? i : best), 0);
}

function setPlaying(playing) {
  state.playing = playing;
  $("play").textContent = playing ? "Pause" : "Play";
  if (!playing) return;
  const time = (shown) => data.seconds[data.shown[shown].frame];
  const last = data.shown.length - 1;
  if (state.shown === last) setShown(0);
  let started = performance.now() - 1000 * time(state.shown);
  const step = (now) => {
    if (!state.playing) return;
    let next = state.shown;
    while (next < last && time(next + 1) <= (now - started) / 1000) next += 1;
    if (next !== state.shown && !drawing) setShown(next);
    if (state.shown === last) setPlaying(false);
    else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function jump(shown) {
  setPlaying(false);
  setShown(shown);
}

// Boundary and zoom

function setWipe(share) {
  state.wipe = clamp(share, 0, 1);
  $("wipe").style.left = `${100 * state.wipe}%`;
  $("wipe").setAttribute("aria-valuenow", Math.round(100 * state.wipe));
  draw();
}

/** Set the zoom factor, and the pixel (x, y) of the picture at the top left of the view. */
function setView(zoom, x, y) {
  state.zoom = clamp(zoom, 1, MOST_ZOOM);
  state.x = clamp(x, 0, data.width * (1 - 1 / state.zoom));
  state.y = clamp(y, 0, data.height * (1 - 1 / state.zoom));
  $("stage").classList.toggle("zoomed", state.zoom > 1);
  $("fit").textContent = `${Number(state.zoom.toFixed(1))}×`;
  draw();
}

/** Zoom by a factor around a point of the stage, which stays fixed; across and down are shares of the stage's size. */
function zoomBy(factor, across = 0.5, down = 0.5) {
  const zoom = clamp(state.zoom * factor, 1, MOST_ZOOM);
  const gained = 1 / state.zoom - 1 / zoom;
  setView(zoom, state.x + data.width * across * gained, state.y + data.height * down * gained);
}

function watchStage() {
  const stage = $("stage");
  const fingers = new Map();
  let wiping = false;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const spread = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y);

  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    wiping = fingers.size === 1 && (state.zoom === 1 || $("wipe").contains(event.target));
    if (wiping) setWipe(place(event).x);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    const [from, to] = [fingers.get(event.pointerId), place(event)];
    fingers.set(event.pointerId, to);
    if (fingers.size === 2) {
      const [a, b] = fingers.values();
      zoomBy(spread([a, b]) / Math.max(spread(before), 0.01), (a.x + b.x) / 2, (a.y + b.y) / 2);
    } else if (wiping) {
      setWipe(to.x);
    } else {
      const [wide, high] = [data.width / state.zoom, data.height / state.zoom];
      setView(state.zoom, state.x - (to.x - from.x) * wide, state.y - (to.y - from.y) * high);
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // without Ctrl the wheel scrolls the page
      event.preventDefault();
      zoomBy(2 ** (-event.deltaY / 200), place(event).x, place(event).y);
    },
    { passive: false },
  );
}

// Curves

const TICKS = 4;
const LEFT = 48; // left edge of the plot in the chart, in CSS pixels
const BELOW = 20;
const DASHES = ["", "8 4", "2 3", "10 3 2 3"];
const look = (film) => `stroke: var(--c${(film - 1) % 6}); stroke-dasharray: ${DASHES[(film - 1) % DASHES.length]}`;

/** Return the scales of a chart: from seconds and values to CSS pixels, and back to seconds. */
function scales() {
  const { width, height } = $("chart").getBoundingClientRect();
  let [low, high] = [Infinity, -Infinity];
  for (const value of data.metrics[state.metric].values.flat()) {
    if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (low === high) [low, high] = [low - 1, high + 1];
  const [first, last] = [data.seconds[0], data.seconds[data.seconds.length - 1]];
  const [wide, tall] = [width - LEFT - 8, height - BELOW - 8];
  return {
    width, height, low, high, first, last,
    x: (seconds) => LEFT + (wide * (seconds - first)) / (last - first || 1),
    y: (value) => 8 + (tall * (high - value)) / (high - low),
    seconds: (x) => first + ((x - LEFT) / wide) * (last - first),
  };
}

function drawChart() {
  const chart = $("chart");
  const metric = data.metrics[state.metric];
  const at = scales();
  chart.replaceChildren();
  chart.setAttribute("viewBox", `0 0 ${at.width} ${at.height}`);
  chart.setAttribute("aria-label", `${metric.name} of each frame; the values of the frame shown are listed below`);
  for (let i = 0; i <= TICKS; i += 1) {
    const value = at.low + ((at.high - at.low) * i) / TICKS;
    const seconds = at.first + ((at.last - at.first) * i) / TICKS;
    element(chart, "path", "", { class: "grid", d: `M${LEFT} ${at.y(value)}H${at.width - 8}` });
    element(chart, "text", value.toPrecision(3), { x: LEFT - 6, y: at.y(value) + 4, "text-anchor": "end" });
    const anchor = i === TICKS ? "end" : "middle";
    element(chart, "text", `${seconds.toFixed(1)} s`, { x: at.x(seconds), y: at.height - 4, "text-anchor": anchor });
  }
  metric.values.forEach((values, film) => {
    const points = values.flatMap((value, i) => (value === null ? [] : [`${at.x(data.seconds[i])} ${at.y(value)}`]));
    if (points.length) element(chart, "path", "", { d: `M${points.join("L")}`, style: look(film), "data-film": film });
  });
  element(chart, "path", "", { class: "now" });
  $("better").textContent = metric.higher ? "higher is better" : "lower is better";
  drawLegend(metric);
  drawNow();
}

function drawLegend(metric) {
  $("legend").replaceChildren();
  metric.values.forEach((values, film) => {
    if (!values.some((value) => value !== null)) return;
    const item = element($("legend"), "li");
    element(element(item, "svg", "", { viewBox: "0 0 32 8", "aria-hidden": "true" }), "path", "", {
      d: "M0 4H32", style: `${look(film)}; stroke-width: 3`,
    });
    element(item, "span", `${data.films[film]} `);
    element(item, "b", "", { "data-film": film });
  });
}

/** Return the frame nearest to `frame` that has a value, since slow metrics measure only some frames. */
function measuredNear(values, frame) {
  for (let far = 0; far < values.length; far += 1)
    for (const near of [frame - far, frame + far]) if (typeof values[near] === "number") return near;
  return frame;
}

/** Mark the current frame in the charts, and write its values into the legends. */
function drawNow() {
  if (!data.metrics.length) return;
  const metric = data.metrics[state.metric];
  const { frame } = data.shown[state.shown];
  const at = scales();
  $("chart").querySelector(".now")?.setAttribute("d", `M${at.x(data.seconds[frame])} 8V${at.height - BELOW}`);
  for (const value of $("legend").querySelectorAll("b")) {
    const values = metric.values[value.dataset.film];
    const near = measuredNear(values, frame);
    value.textContent = `${values[near].toFixed(metric.digits)} ${metric.unit}`;
    if (near !== frame) value.textContent += ` (frame ${near + 1})`;
  }
}

function watchChart() {
  const go = (event) => {
    if (!event.buttons) return;
    jump(shownAt(scales().seconds(event.clientX - $("chart").getBoundingClientRect().left)));
  };
  $("chart").addEventListener("pointerdown", go);
  $("chart").addEventListener("pointermove", go);
}

// The rest of the page

function fill() {
  document.title = $("title").textContent = data.title;
  $("subtitle").textContent = data.subtitle;
  for (const side of ["left", "right"]) {
    data.films.forEach((name, film) => element($(side), "option", name, { value: film }));
    $(side).value = state[side];
    $(side).addEventListener("change", () => {
      state[side] = Number($(side).value);
      describe();
      draw();
    });
  }
  data.metrics.forEach((metric, i) => element($("metric"), "option", metric.name, { value: i }));
  $("curves").hidden = !data.metrics.length;
  const head = element($("figures").tHead, "tr");
  for (const name of ["", ...data.films]) element(head, name ? "th" : "td", name, name ? { scope: "col" } : {});
  for (const { label, cells, best } of data.table) {
    const row = element($("figures").tBodies[0], "tr");
    element(row, "th", label, { scope: "row" });
    cells.forEach((text, film) => element(row, "td", text, best[film] ? { class: "best" } : {}));
  }
  for (const text of data.notes) element($("notes"), "li", text);
  $("frame").max = data.shown.length - 1;
}

function watchKeys() {
  const keys = {
    ArrowLeft: () => jump(state.shown - 1),
    ArrowRight: () => jump(state.shown + 1),
    Home: () => jump(0),
    End: () => jump(data.shown.length - 1),
    " ": () => setPlaying(!state.playing),
    "+": () => zoomBy(2),
    "-": () => zoomBy(0.5),
    0: () => setView(1, 0, 0),
  };
  document.addEventListener("keydown", (event) => {
    const { tagName } = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || tagName === "SELECT") return;
    if (tagName === "BUTTON" && event.key === " ") return; // the browser presses the button
    if (event.target.id === "scroller" && event.key.startsWith("Arrow")) return; // the browser scrolls the element
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  $("wipe").addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const places = { ArrowLeft: state.wipe - step, ArrowRight: state.wipe + step, Home: 0, End: 1 };
    if (!(event.key in places)) return;
    event.preventDefault();
    event.stopPropagation();
    setWipe(places[event.key]);
  });
}

fill();
watchStage();
watchChart();
watchKeys();
$("frame").addEventListener("input", () => jump(Number($("frame").value)));
$("play").addEventListener("click", () => setPlaying(!state.playing));
$("in").addEventListener("click", () => zoomBy(2));
$("out").addEventListener("click", () => zoomBy(0.5));
$("fit").addEventListener("click", () => setView(1, 0, 0));
$("metric").addEventListener("change", () => {
  state.metric = Number($("metric").value);
  drawChart();
});
window.addEventListener("resize", () => {
  fitStage();
  if (data.metrics.length) drawChart();
});
setPlaying(false);
setWipe(0.5);
fitStage();
if (data.metrics.length) drawChart();
setShown(0);
