"""Become ``python -m bot run`` as a child of the demo, which ends with it, however that ends.

Linux ends the child itself, even a frozen one. Elsewhere a thread waits for the end of stdin, a
pipe from the demo; a frozen child is thawed there when its process group is orphaned (POSIX).
"""

import os
import sys


def main(platform: str = sys.platform) -> None:
    """Become the bot. The argument of the program is the demo's process id."""
    os.setpgid(0, 0)  # Ctrl-C is for the demo, which ends its children itself
    if platform == "linux":
        _die_with_parent(int(sys.argv[1]))
        os.execv(sys.executable, [sys.executable, "-m", "bot", "run"])  # noqa: S606 - no shell
    _watch_and_run()


def _die_with_parent(parent: int) -> None:
    import ctypes  # noqa: PLC0415 - only where it is used
    import signal  # noqa: PLC0415

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, kept by exec: prctl(2)
    if os.getppid() != parent:  # it has ended already
        sys.exit(1)


def _watch_and_run() -> None:
    import runpy  # noqa: PLC0415
    import threading  # noqa: PLC0415

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    sys.argv = ["bot", "run"]
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
