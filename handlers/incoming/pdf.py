"""The text of a PDF. A program of its own, as a PDF can take all time and memory there is.

Every few months somebody finds one on which the library never ends, and only the end of its process
stops it. The PDF comes on standard input, the text goes to standard output in UTF-16. The exit
status is 0; 3 for a PDF with a password, 4 for too much text, 5 for too many pages, and anything
else for one that cannot be read.
"""

import io
import os
import sys

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

ENCRYPTED, TOO_MUCH_TEXT, TOO_MANY_PAGES = 3, 4, 5
MOST_PAGES = 400
MOST_CHARACTERS = 1_000_000
"""More than the largest window of a model behind the API holds."""
MEMORY = 512 * 1024 * 1024
"""Bytes this process may take."""
CPU_SECONDS = 30
"""The process ends after that even if nobody is left to end it."""


class TooMuchText(Exception):
    """There is more text than a caller wants."""


class TooManyPages(Exception):
    """There are more pages than `MOST_PAGES`."""


def extract(content: bytes, most: int = MOST_CHARACTERS) -> str:
    """Return the text of all pages, which may have ``most`` characters.

    Raises `TooMuchText`, `TooManyPages`, and whatever the library raises.
    """
    pages, length = [], 0
    document = PdfReader(io.BytesIO(content))
    if len(document.pages) > MOST_PAGES:
        raise TooManyPages
    for page in document.pages:
        pages.append(page.extract_text().strip())
        length += len(pages[-1])
        if length > most:
            raise TooMuchText
    return "\n\n".join(filter(None, pages))


def main(most: int = MOST_CHARACTERS) -> int:
    """Entry point; see the module."""
    try:
        text = extract(sys.stdin.buffer.read(), most)
    except (FileNotDecryptedError, DependencyError):  # a cipher of another package
        return ENCRYPTED
    except TooMuchText:
        return TOO_MUCH_TEXT
    except TooManyPages:
        return TOO_MANY_PAGES
    sys.stdout.buffer.write(text.encode("utf-16", "surrogatepass"))
    return 0


def _limit() -> None:
    if sys.platform == "linux":  # other systems lack these limits, or ignore them
        import resource  # noqa: PLC0415 - it is not everywhere

        os.nice(10)  # the bot has priority
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


if __name__ == "__main__":
    _limit()
    sys.exit(main())
