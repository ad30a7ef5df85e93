"""What whoever started the demo reads."""

import os
import sys


def say(text: str) -> None:
    """Write it to stdout, unless nobody reads on there, as after ``head -1``: the demo goes on."""
    try:
        print(text, flush=True)  # noqa: T201 - output for whoever started it
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # else Python fails to write the rest when it ends
        os.close(nowhere)
