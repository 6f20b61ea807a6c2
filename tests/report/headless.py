"""Headless Chromium for the tests of pages, driven over its debugging pipe: no port, no driver, nothing to install but the browser."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def executable() -> str | None:
    """The browser's path, from $SURGE_CHROMIUM or $PATH; None when this machine has none."""
    return os.environ.get("SURGE_CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab. `requests` collects the address of everything the page asked for, `problems` what it complained about."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session
        self.requests: list[str] = []
        self.problems: list[str] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, params, self.session)

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Load a file and wait until it has loaded whole. Below 500 px the page is shown as a phone would."""
        self.requests.clear()
        self.problems.clear()
        for domain in ("Page", "Network", "Log", "Runtime", "DOM", "CSS"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=path.as_uri())
        self.browser.wait_for("Page.loadEventFired", self.session)

    def evaluate(self, expression: str) -> Any:
        """The value of a script's expression in the page, by value; AssertionError when it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self) -> str:
        """What a reader can see."""
        return str(self.evaluate("document.body.innerText"))

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def pdf(self) -> bytes:
        printed = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(printed["data"])

    def key(self, name: str) -> None:
        """Press and release one key, such as "Tab"."""
        codes = {"Tab": 9, "Enter": 13, "ArrowRight": 39}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])


class Browser:
    """A browser process and its pipe. `call` sends one command and waits for its answer; events that arrive meanwhile are kept."""

    def __init__(self, program: str, profile: Path, *extra: str) -> None:
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        kept = [os.dup(to_child), os.dup(from_child)]  # away from 3 and 4, which the browser expects its pipe at

        def place() -> None:
            spare = [os.dup(number) for number in kept]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", *extra],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=place,
            start_new_session=True,
        )
        for number in (to_child, from_child, *kept):
            os.close(number)
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self.pages: dict[str, Page] = {}

    def call(self, method: str, params: dict[str, Any] | None = None, session: str | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._keep(answer)

    def wait_for(self, event: str, session: str) -> None:
        while True:
            for place, seen in enumerate(self._events):
                if seen.get("method") == event and seen.get("sessionId") == session:
                    del self._events[: place + 1]
                    return
            self._keep(self._receive())

    def page(self) -> Page:
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self.pages[session] = Page(self, session)
        return self.pages[session]

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.call("Browser.close")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._out)
        os.close(self._in)

    def _keep(self, event: dict[str, Any]) -> None:
        page = self.pages.get(event.get("sessionId", ""))
        method, params = event.get("method"), event.get("params", {})
        if page is not None and method == "Network.requestWillBeSent":
            page.requests.append(params["request"]["url"])
        elif page is not None and method == "Log.entryAdded":
            page.problems.append(params["entry"]["text"])
        elif page is not None and method == "Runtime.exceptionThrown":
            page.problems.append(str(params["exceptionDetails"]))
        self._events.append(event)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 20)
            if not part:
                raise RuntimeError("the browser went away")
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        return message


@contextlib.contextmanager
def browser(program: str, *extra: str) -> Iterator[Browser]:
    """A browser with an empty profile of its own, gone with all it wrote when the block ends."""
    profile = Path(tempfile.mkdtemp(prefix="surge-browser-"))
    running = Browser(program, profile, *extra)
    try:
        yield running
    finally:
        running.close()
        for _ in range(20):  # its helpers may still be writing for a moment
            shutil.rmtree(profile, ignore_errors=True)
            if not profile.exists():
                break
            time.sleep(0.1)
