"""PDFs, written by hand: as small as they can be, with any letters in them."""

import io
import zlib
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter

_TO_UNICODE = (
    b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> "
    b"endcodespacerange 1 beginbfrange <0000> <FFFF> <0000> endbfrange endcmap end"
)
"""Says that the code of each glyph is that of its letter."""


def pdf(*pages: str) -> bytes:
    """Write a PDF with a page for each of these texts."""
    return pdf_of([b"BT /F 12 Tf (%s) Tj ET" % _escaped(page) for page in pages])


def pdf_of(contents: Sequence[bytes]) -> bytes:
    """Write a PDF whose pages have these contents."""
    kids = b" ".join(b"%d 0 R" % (6 + 2 * number) for number in range(len(contents)))
    name = b"/BaseFont /F /Encoding /Identity-H"
    objects = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Count %d /Kids [%s]>>" % (len(contents), kids),
        b"<</Type /Font /Subtype /Type0 /DescendantFonts [4 0 R] %s /ToUnicode 5 0 R>>" % name,
        b"<</Type /Font /Subtype /CIDFontType2 /BaseFont /F>>",
        _stream(_TO_UNICODE),
    ]
    for content in contents:
        page = b"<</Type /Page /Parent 2 0 R /Resources <</Font <</F 3 0 R>>>> /Contents %d 0 R>>"
        objects += [page % (len(objects) + 2), _stream(content)]
    return _file(objects)


def slow() -> bytes:
    """Write a PDF of a few kilobytes that takes a minute or more to read."""
    return pdf_of([b"BT /F 12 Tf " + b"(aa) Tj " * 200_000] * 20)


def many_pages(count: int) -> bytes:
    """Write a PDF with so many empty pages, all of which are the same one."""
    objects = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Count %d /Kids [%s]>>" % (count, b"3 0 R " * count),
        b"<</Type /Page /Parent 2 0 R /Resources <<>>>>",
    ]
    return _file(objects)


def locked(content: bytes, password: str) -> bytes:
    """Encrypt a PDF; without a password anybody may read it, but not change it."""
    writer = PdfWriter(PdfReader(io.BytesIO(content)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _escaped(text: str) -> bytes:
    return b"".join(b"\\%03o" % byte for byte in text.encode("utf-16-be", "surrogatepass"))


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    head = b"<</Filter /FlateDecode /Length %d>>" % len(packed)
    return b"%s stream\n%s\nendstream" % (head, packed)


def _file(objects: Sequence[bytes]) -> bytes:
    written, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj %s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer <</Size %d /Root 1 0 R>>\n" % (len(objects) + 1)
    return b"%s%s%s%sstartxref\n%d\n%%%%EOF" % (written, head, table, trailer, len(written))
