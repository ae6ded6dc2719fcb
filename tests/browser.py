# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A real browser without a screen: Chromium, driven by its DevTools protocol over two pipes."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # needed to run as root in containers; the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)
LONGEST_WAIT = 20  # seconds
LEFT_BUTTON = {"button": "left", "clickCount": 1}
# Name of a key -> its code and its number
KEYS = {
    " ": ("Space", 32),
    "+": ("NumpadAdd", 107),
    "0": ("Digit0", 48),
    "Tab": ("Tab", 9),
    "Home": ("Home", 36),
    "End": ("End", 35),
    "ArrowLeft": ("ArrowLeft", 37),
    "ArrowRight": ("ArrowRight", 39),
    "ArrowDown": ("ArrowDown", 40),
}


def program() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """A browser with one empty tab. Use as a context manager."""

    def __init__(self, profile: Path):
        to_read, to_write = os.pipe(), os.pipe()
        # Chromium expects the protocol at the descriptors 3 and 4, so pipes at these numbers are moved first.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_read[0], to_write[1])]
        os.close(to_read[0]), os.close(to_write[1])
        self._out, self._in = to_read[1], to_write[0]
        script = f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
        command = ["bash", "-c", script, program(), *FLAGS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(command, pass_fds=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in theirs:
            os.close(fd)
        self._buffer, self._count = b"", 0
        self.events: list[dict] = []
        self._session = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        try:
            self._ask("Browser.close")
            self._process.wait(LONGEST_WAIT)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._out), os.close(self._in)

    def _ask(self, method: str, **parameters: object) -> dict:
        """Send a command and return its result; events that arrive meanwhile are added to `events`."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict:
        while b"\0" not in self._buffer:
            assert select.select([self._in], [], [], LONGEST_WAIT)[0], "the browser does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(
        self, page: Path, width: int = 1200, height: int = 900, *, dark: bool = False, phone: bool = False
    ) -> None:
        """Show a file in a window of this size."""
        self.events.clear()
        self.look(width, height, dark=dark, phone=phone)
        self._ask("Page.navigate", url=page.resolve().as_uri())
        self.wait_for("document.readyState === 'complete'")

    def look(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Set the window's size and the user's preferences (dark colours, a phone)."""
        scale = 2 if phone else 1
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> object:
        """Return the value of an expression in the page; a promise is awaited."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + LONGEST_WAIT
        while not self.run(condition):
            assert time.monotonic() < deadline, f"never true: {condition}"
            self.run("new Promise(requestAnimationFrame)")

    def mouse(self, kind: str, x: float, y: float, *, pressed: bool = True, **more: object) -> None:
        """Send a mouse event: mousePressed, mouseMoved, mouseReleased or mouseWheel."""
        button = LEFT_BUTTON if pressed or kind == "mouseReleased" else {}
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=int(pressed), **button, **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and release the mouse."""
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        self.mouse("mousePressed", *start)
        for place in (middle, end):
            self.mouse("mouseMoved", *place)
        self.mouse("mouseReleased", *end, pressed=False)

    def click(self, x: float, y: float) -> None:
        self.drag((x, y), (x, y))

    def touch(self, *fingers: list[tuple[float, float]]) -> None:
        """Move fingers along paths of equal length."""
        for i, places in enumerate(zip(*fingers, strict=True)):
            points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
            self._ask("Input.dispatchTouchEvent", type="touchMove" if i else "touchStart", touchPoints=points)
        self._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key: str) -> None:
        """Press and release a key."""
        code, number = KEYS[key]
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self._ask("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number, **more)

    def unnamed(self) -> list[str]:
        """Return the roles of controls and pictures without a name for screen readers."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        told = {"button", "slider", "combobox", "image", "region", "table"}
        found = [(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in nodes]
        return [role for role, name in found if role in told and not name]

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write a PNG of the page."""
        answer = self._ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def complaints(self) -> list[str]:
        """Return messages of the console and the log, and exceptions."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in kinds]

    def requests(self) -> list[str]:
        """Return the addresses of all requests, except data: addresses."""
        sent = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("data:")]
