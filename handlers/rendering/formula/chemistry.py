r"""Chemical equations in LaTeX's mhchem: ``\ce{2H2 + O2 -> 2H2O}``."""

import re

from handlers.rendering.formula.symbols import ATOMS, INFIX, small

_ARROWS = {"->": "→", "<-": "←", "<->": "↔", "<=>": "⇌", "<=>>": "⇌", "<<=>": "⇌", "-->": "⟶"}
_PART = re.compile(
    r"(?P<arrow><=>>|<<=>|<=>|<->|-->|->|<-)(?:\[(?P<over>[^\]]*)\])?(?:\[(?P<under>[^\]]*)\])?"
    r"|(?P<sign>[\^_])(?:\{(?P<group>[^{}]*)\}|(?P<charge>\d*[+-]|\d+|\w))"
    r"|(?<=[A-Za-z)\]])(?P<count>\d+)"
    r"|(?<=[A-Za-z\d)\]}])(?P<ion>[+-])(?![A-Za-z\d(\[>])"
    r"|(?<=\s)(?P<leaves>[v^])(?=\s|$)"
    r"|(?P<text>\\text\{[^{}]*\}|\{[^{}]*\}|\$[^$]*\$)"
    r"|\s*(?P<dot>[*.·])\s*(?=[A-Za-z\d])"
    r"|(?P<space>\s+)"
)


def equation(source: str) -> str:
    """Write an equation as people print it: 2H₂ + O₂ → 2H₂O."""
    source = _BOND.sub("≡", _COMMAND.sub(_symbol, source))
    return " ".join(_PART.sub(_part, source).split())


_BOND = re.compile(r"(?<=[A-Za-z\d)\]])#(?=[A-Za-z(\[])")
_COMMAND = re.compile(
    r"(?P<degree>\^\{?\\(?:circ|degree)\b\}?(?:\s+(?=C\b))?)"
    r"|\\(?:[,;: ]|q?quad\b|(?P<name>[A-Za-z]+))"
)


def _symbol(found: re.Match[str]) -> str:
    r"""Write LaTeX's symbols, as in ``->[\Delta]`` and ``CO2 \uparrow``; leave other commands."""
    if found["degree"]:
        return "°"
    name = found["name"]
    if not name:
        return " "
    return ATOMS.get(name) or (f" {INFIX[name]} " if name in INFIX else found[0])


def _part(found: re.Match[str]) -> str:
    if found["arrow"]:
        return _arrow(found)
    if sign := found["sign"]:
        text = found["group"] if found["group"] is not None else found["charge"]
        return small(text, raised=sign == "^") or f"{sign}({text})"
    if found["count"] or found["ion"]:
        return small(found[0], raised=bool(found["ion"])) or ""
    if found["text"]:
        return found["text"].removeprefix("\\text").strip("{}$")
    return {"v": "↓", "^": "↑"}.get(found[0], "·" if found["dot"] else " ")


def _arrow(found: re.Match[str]) -> str:
    arrow = _ARROWS[found["arrow"]]
    conditions = equation("; ".join(filter(None, (found["over"], found["under"]))))
    if conditions and arrow == "→":
        return f" —({conditions})→ "
    return f" {arrow} ({conditions}) " if conditions else f" {arrow} "
