"""What is meant literally in a model's Markdown: paths, products, patterns, prices, HTML.

Masks are characters that the parser takes for letters, one for one, so positions do not change.
"""

import re

# Unicode's noncharacters serve as masks: they mean nothing in text from outside.
_MARKS = {ord(mark): 0xFDD0 + number for number, mark in enumerate("<*|[\\$_~")}
_ENDS = {ord(mark): 0xFDD8 + number for number, mark in enumerate(":.!?;)]»\"'…%”’}")}
_COMPARING = {ord(">"): 0xFDE7}
_VERBATIM = {ord("|"): 0xFDEC}
_UNMASK = {
    mask: mark for table in (_MARKS, _ENDS, _COMPARING, _VERBATIM) for mark, mask in table.items()
}


def hidden(text: str) -> str:
    """Mask every character with a meaning."""
    return text.translate(_MARKS)


def verbatim(text: str) -> str:
    """Mask what looks like a spoiler and is none."""
    return text.translate(_VERBATIM)


def unmasked(text: str) -> str:
    """Undo masks, except those of formulas."""
    return text.translate(_UNMASK)


def literal(source: str) -> str:
    """Mask what is no Markdown, though it looks like it."""
    source = _CODE.sub(lambda code: _LONE_BAR.sub(hidden("|"), code[0]), source)
    source = _COMPARED.sub(_compared, source)
    if any(sign in source for sign in _SIGNS_OF_TOKENS):
        source = _TOKEN.sub(lambda found: hidden(found[0]), source)
    source = _LITERAL.sub(lambda found: hidden(found[0]), source)
    source = _PRODUCT.sub(lambda found: found["marked"] or hidden(found[0]), source)
    return _END_OF_BOLD.sub(lambda bold: bold[1] + bold[2].translate(_ENDS) + bold[3], source)


_CODE = re.compile(r"`[^`\n]+`")
_LONE_BAR = re.compile(r"(?<!\\)\|")  # in a table it would split cells, and code in them


def _compared(found: re.Match[str]) -> str:
    return found["quoted"] or found[0][:-1] + found[0][-1].translate(_COMPARING)


# "- >18 лет" and ">30" compare; lines of a quotation, and a list in one, ">1. a", do not.
_COMPARED = re.compile(
    r"^(?:[ \t]*>(?==[ ]?\d|\d)(?!\d+[.)]\s)"
    r"|[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)+>(?=[ ]?=?[ ]?\d)"
    r"|(?P<quoted>[ \t]*>.*(?:\n[ \t]*>.*)*))",
    re.MULTILINE,
)

# Addresses, paths and patterns: "https://a.ru/_b_", "C:\Users\*.txt", "\d+\.\d*". Marks at their
# ends are Markdown's, unless a separator stands before.
_SIGNS_OF_TOKENS = ("://", "www.", "\\")
_TOKEN = re.compile(
    r"(?:(?<!\w)(?:(?:https?|ftp|tg)://|www\.)"
    r"(?:[^\s<>\[\]|`\"()*_~]|\([^\s<>\[\]|`\"()]*+\)"
    r"|[*_~]++(?![.,:;!?)»…]*(?:\s|\Z)))*"  # **https://a.ru**, is bold
    r"|(?<!\w)[A-Za-z]:\\[^\s<>\[\]|`]*"
    r"|(?<![^\s()\[\]{}\"'«*_~])"
    r"(?:[^\s<>\[\]()|`\\*_~][^\s<>\[\]()|`\\]{0,80}+\\|\\{1,2})[^\W_][^\s<>\[\]()|`]*"
    r")(?:(?<=[\\/]\*)|(?<=[\\/]\*\*)|(?<![*_~]))"
)
_LITERAL = re.compile(
    r"(?=[<*_~\[])(?:"  # most letters are none of these: the rest need not be tried
    r"(?<!\\)<"  # HTML would vanish, and so would what looks like it
    r"|(?<=[^\W_])\*(?=[^\W_])"  # 2*3*4 is a product
    r"|(?:(?<=\d)|(?<=(?<![\w*])[A-Za-z]))\*\*(?=\d|[A-Za-z](?!\w))"  # x**2 is a power
    r"|(?<=/)\*+(?=[/.])"  # src/**/*.ts is a path
    r"|(?<!\S)(?P<stars>\*++)(?=/)"
    r"(?!(?<=\*\*)\S*[\w:](?P=stars)(?![*\w]))"  # **/start** is bold
    r"|(?<![^\W_])(?<![*\\])\*(?=\.\w)"  # *.log is a pattern
    r"|(?<=[(\"'«\[])[*_](?=[)\"'»\]])"  # COUNT(*), "_": a mark alone
    r"|(?<!\w)__(?:[a-z][a-z\d_]*?|[A-Z][A-Z\d_]*?)__(?!\w)"  # __main__ is a name
    r"|(?<![~\\])~(?!~)"  # ~5 is about five
    r"|(?<!\\)\[(?=\^))"  # a footnote, [^1], would become a link
)
# "(1+r)**n", "a[i]*b" and "n*(n-1)", but not after what may have opened emphasis in the same line.
_PRODUCT = re.compile(
    r"(?=[*])(?:(?P<marked>(?<![\w)\]*])(?P<mark>\*++)(?=\S)(?:[^*\n]*(?P=mark)|.*))"
    r"|(?<=[)\]])(?:\*(?=[\w(\[])|\*\*(?=\d|[A-Za-z](?!\w)|[(\[]))"
    r"|(?<=[^\W_])\*(?=[(\[]))"
)
# "**Ответ:**5": Markdown does not end bold between punctuation and a letter.
_END_OF_BOLD = re.compile(
    r"(?<![\w*\\])(\*{2,3}(?=[^\s*])[^*\n]*?)([:.!?;)\]»\"'…%”’}])(\*{2,3})(?=[^\W_])"
)

# The parser does not show a link's definition; one that no link refers to is text.
_DEFINITION = re.compile(r"^([ \t>*+.)\d-]*)\[(?=([^\]\n]+)\]:)", re.MULTILINE)


def without_unused_definitions(text: str) -> str:
    """Mask definitions of links that nothing refers to."""
    return _DEFINITION.sub(_definition, text)


def _definition(found: re.Match[str]) -> str:
    used = f"][{found[2]}]" in found.string
    return found[0] if used else found[1] + hidden("[")
