"""Opens the page where somebody sits at a desktop."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import Mapping


async def open_browser(url: str) -> None:
    """Open a page, if stdout is a terminal of a desktop session that has a browser."""
    if sys.stdout.isatty() and has_desktop(os.environ, sys.platform):
        await asyncio.to_thread(_open, url)


def has_desktop(environment: Mapping[str, str], platform: str) -> bool:
    """Tell whether a browser that is started here would be seen by whoever started it."""
    if "SSH_CONNECTION" in environment:  # the screen, if there is one, is elsewhere
        return False
    if platform == "linux":
        return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return platform in ("darwin", "win32")


def _open(url: str) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:  # that one would take over the terminal
        browser.open(url)
