"""Debian's Chromium, driven by Playwright. Both of them are told to call nobody: a page that asks another host fails its test."""
import base64
import fcntl
import importlib
import os
import subprocess
import sys

from .paths import ROOT

# From PyPI: Debian has no Playwright, and no axe-core later than 4.0. Neither brings a browser.
WANTED = ("playwright==1.65.2", "axe-playwright-python==0.1.8")
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def _tools():
    """The folder that has what is WANTED; it is installed once a checkout."""
    folder = ROOT / "build" / "browser" / "-".join(WANTED).replace("==", "-")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-warn-script-location", "--root-user-action=ignore", "--upgrade",
                            "--target", folder, *WANTED], check=True, timeout=600)
            (folder / "done").touch()
    return folder


class Browser:
    """One Chromium for many tests; page(...) is a window of its own, without cookies."""

    def __init__(self):
        folder = str(_tools())
        if folder not in sys.path:
            sys.path.append(folder)
        self.axe = (_tools() / "axe_playwright_python" / "axe.min.js").read_text(encoding="utf-8")
        self.driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        self.chromium = self.driver.chromium.launch(executable_path=CHROMIUM, args=QUIET + root)
        self.windows = []

    def page(self, address, width=1280, height=900, scheme="light", **options):
        window = Window(self, address, viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        self.windows.append(window)
        return window

    def end_windows(self):
        """Closes them all, and answers what was wrong with any of them."""
        wrong = [text for window in self.windows for text in window.wrong]
        for window in self.windows:
            window.context.close()
        self.windows = []
        return wrong

    def stop(self):
        self.chromium.close()
        self.driver.stop()


class Window:
    """A window on one bursard's page. What it does not have itself is Playwright's page: window.get_by_role(...)."""

    def __init__(self, browser, address, **options):
        self.browser, self.base, self.wrong, self.expected = browser, f"http://{address}", [], []
        self.context = browser.chromium.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def __getattr__(self, name):
        return getattr(self.page, name)

    def _heard(self, message):
        # Chromium writes a line for each answer above 399; those that a test wants are `expected`.
        if message.type in ("error", "warning") and not any(words in message.text for words in self.expected):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request):
        if not request.url.startswith((self.base + "/", "data:")):
            self.wrong.append(f"a request to another host: {request.url}")

    def show(self, view):
        self.page.goto(f"{self.base}/#/{view}")

    def violations(self):
        """What axe-core finds. It runs as a debugger does, so that the page's Content-Security-Policy stays as it is."""
        debugger = self.context.new_cdp_session(self.page)
        debugger.send("Runtime.evaluate", {"expression": self.browser.axe})
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        debugger.detach()
        return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]

    def sideways(self):
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def picture(self, path, quality=82):
        """What the window shows, as a WebP: a fifth of a PNG."""
        debugger = self.context.new_cdp_session(self.page)
        data = debugger.send("Page.captureScreenshot", {"format": "webp", "quality": quality})["data"]
        debugger.detach()
        path.write_bytes(base64.b64decode(data))
