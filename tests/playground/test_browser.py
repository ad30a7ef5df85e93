"""Where the demo opens a browser, and where it does not."""

import pytest

from bot.playground.browser import has_desktop


@pytest.mark.parametrize(
    ("platform", "environment", "opens"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, False),
        ("win32", {}, True),
        ("freebsd14", {"DISPLAY": ":0"}, False),
    ],
)
def test_a_desktop(platform: str, environment: dict[str, str], opens: bool) -> None:
    """A browser opens on the screen in front of whoever started the demo, or not at all."""
    assert has_desktop(environment, platform) is opens
