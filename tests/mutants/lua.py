"""Mutants of a Lua script. Its places are found by regular expressions: the scripts are plain."""

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.mutants.mutant import Mutant, changed

FLIPS = {
    "==": ["~="],
    "~=": ["=="],
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<"],
    ">=": [">", "<"],
    "and": ["or"],
    "or": ["and"],
    "+": ["-"],
    "-": ["+"],
    "*": ["/"],
    "/": ["*"],
    "math.max": ["math.min"],
    "math.min": ["math.max"],
    "true": ["false"],
    "false": ["true"],
    "not ": [""],
}
TOKEN = re.compile(
    r"'(?P<text>[^']*)'|(?P<comment>--.*)|(?P<number>(?<![\w.])\d+(?![\w.]))|"
    r"(?P<flip>==|~=|<=|>=|math\.max|math\.min|\b(?:and|or|true|false)\b|\bnot |"
    r"(?<=\s)[-+*/<>](?=\s)|(?<=[\s(,])-(?=\w))"
)
COMMAND = re.compile(r"redis\.p?call\($")
FLAG_ARGUMENT = re.compile(r", '[A-Z]+'(?=[,)])")
OPENS, CLOSES = re.compile(r"\b(function|then|do|repeat)\b"), re.compile(r"\b(end|until)\b")
BROKEN = re.compile(r"(, | and| or)$")


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Change a script in one place after the other."""
    first = source.split("\n", 1)[0]
    head = first if first.startswith("#!lua") else ""  # a part of scripts has no flags
    for other in _other_flags(head):
        yield changed(file, source, 0, len(head), other)
    for token in TOKEN.finditer(source, len(head)):
        yield from _of_token(file, source, token)
    for flag in FLAG_ARGUMENT.finditer(source, len(head)):
        if not COMMAND.search(source, 0, flag.start()):
            yield changed(file, source, *flag.span(), "")
    yield from _of_lines(file, source)


def _other_flags(head: str) -> list[str]:
    first, _, flags = head.partition(" flags=")
    if not head:
        return []
    if not flags:
        return [f"{first} flags=allow-oom"]
    left = [",".join(one for one in flags.split(",") if one != flag) for flag in flags.split(",")]
    return [f"{first} flags={some}" if some else first for some in left]


def _of_token(file: str, source: str, token: re.Match[str]) -> Iterator[Mutant]:
    start, end = token.span()
    if token["number"] is not None:
        # Of a result it matters only whether it is 1.
        is_result = source[:start].endswith("return ") and token["number"] == "1"
        yield changed(file, source, start, end, "0" if is_result else str(int(token["number"]) + 1))
    elif token["text"] is not None:
        if not COMMAND.search(source, max(0, start - 20), start):
            yield changed(file, source, start, end, f"'{_another(token['text'])}'")
    elif token["comment"] is None:
        after = source[end : end + 1]
        for flip in [""] if token["flip"] == "-" and after != " " else FLIPS[token["flip"]]:
            yield changed(file, source, start, end, flip)


def _another(text: str) -> str:
    return str(int(text) + 1) if text.isdigit() else f"{text}x"


def _of_lines(file: str, source: str) -> Iterator[Mutant]:
    """Leave out a statement, or swap it with the next one."""
    statements = list(_statements(source))
    for start, end in statements:
        yield changed(file, source, start, end, "")
    for (start, middle), (then, end) in pairwise(statements):
        one, two = source[start:middle], source[then:end]
        # A local that is not there yet is noticed by anything.
        next_to_each_other = not source[middle:then].strip()
        ends = re.search(r"\b(return|break)\b", f"{one} {two}")
        if next_to_each_other and not ends and not one.startswith("local"):
            yield changed(file, source, start, end, f"{two}{source[middle:then]}{one}")


def _statements(source: str) -> Iterator[tuple[int, int]]:
    """Find statements that are whole in their lines, such as ``if … then … end`` in one."""
    place, begun = 0, None
    for line in source.splitlines(keepends=True):
        text = line.split("--")[0].strip()
        start = place + len(line) - len(line.lstrip())
        place += len(line)
        if not text or line.startswith("#!"):
            continue
        begun = start if begun is None else begun
        so_far = re.sub(r"--.*|'[^']*'", "", source[begun:place]).strip()
        if so_far.count("(") != so_far.count(")") or so_far.count("{") != so_far.count("}"):
            continue
        opens, closes = len(OPENS.findall(so_far)), len(CLOSES.findall(so_far))
        if opens == closes and (opens or not re.match(r"else|if|for|until", so_far)):
            yield begun, begun + len(source[begun:place].rstrip())
        elif not re.search(r"(then|do|end|else|repeat)$|^until", so_far):
            continue
        begun = None
