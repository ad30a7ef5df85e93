"""What people read of a formula."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rendering.formula import MAX_WIDTH, as_text
from handlers.rendering.formula.commands import COMMANDS
from handlers.rendering.formula.symbols import ACCENTS, ATOMS, BIG, BRACKETS, FUNCTIONS, INFIX
from handlers.rendering.markup import Chunk, render
from tests.handlers.reading import shown

# A formula, indented what it is read as, and after a ~ what in the middle of a sentence.
FORMULAS = Path(__file__).with_name("formulas.txt").read_text("utf-8").strip().split("\n\n")


@pytest.mark.parametrize("pinned", FORMULAS)
def test_a_formula_is_legible(pinned: str) -> None:
    """Each of these was read by eye once."""
    latex, *lines = pinned.split("\n")
    text = "\n".join(line[4:] for line in lines if line.startswith("    "))
    in_a_line = [line[4:] for line in lines if line.startswith("  ~ ")] or [text]
    assert as_text(latex, lines=True) == text
    assert [as_text(latex, lines=False)] == in_a_line


def test_the_corpus_is_large() -> None:
    """At least 120 formulas are pinned."""
    assert len(set(FORMULAS)) >= 120


@pytest.mark.parametrize(
    "latex",
    [
        r"\foo{x}",
        r"\frac{a}{b",
        r"\frac{a}",
        r"a}",
        r"\left( a",
        r"\begin{tikz}a\end{tikz}",
        "{" * 99,
        "(" * 500,
        r"\sqrt" * 500 + "x",
        r"\text{\foo}",
    ],
)
def test_what_is_not_known_stays_source(latex: str) -> None:
    """A formula that cannot be read is shown in code, whole."""
    assert as_text(latex, lines=True) is None


def test_a_wide_matrix_is_written_flat() -> None:
    """Lines that a phone would wrap would be no matrix any more."""
    row = " & ".join(f"a_{{1{n}}} + b" for n in range(8))
    text = as_text(rf"\begin{{pmatrix}} {row} \\ {row} \end{{pmatrix}}", lines=True)
    assert text is not None
    assert "\n" not in text
    assert len(text) > MAX_WIDTH


# fmt: off
IN_TEXT = [
    ("Сила $F_{тр}$, $x^2$ и $\\le$.", "Сила <code>F_тр</code>, <code>x²</code> и <code>≤</code>."),
    ("По \\(a^2\\) и\n\\[ x = \\frac{a}{bc} \\]", "По <code>a²</code> и\n<pre>x = a/(bc)</pre>"),
    ("$$\na\n+ b\n= c\n$$", "<pre>a + b = c</pre>"),
    ("> $$\n> x^2\n> $$\n> да", "<blockquote><pre>x²</pre>\nда</blockquote>"),
    ("- $$\n  a\n  - b\n  $$\n- c", "•\n<pre>a − b</pre>\n• c"),
    ("```math\n\\frac{a}{b}\n```", "<pre>a/b</pre>"),
    ("```latex\n\\frac{a}{b}\n```", "<pre latex>\\frac{a}{b}</pre>"),
    ("\\begin{cases} x = 1 \\\\ y = 2 \\end{cases}", "<pre>⎧ x = 1\n⎩ y = 2</pre>"),
    ("**$x^2$** и *$y$*", "<bold><code>x²</code></bold> и <italic><code>y</code></italic>"),
    ("Вот $\\foo{x}$.", "Вот <code>\\foo{x}</code>."),
    ("$n$-й член, $x$и, ($y$)", "<code>n</code>-й член, <code>x</code>и, (<code>y</code>)"),
    ("| a | b |\n|-|-|\n| $|x|$ | $\\frac{1}{2}$ |", "<pre>a   | b\n----+----\n|x| | 1/2</pre>"),
    ("Формула $$x^2$$ верна", "Формула\n<pre>x²</pre>\nверна"),
    ("цена $5 и $10", "цена $5 и $10"),
    ("от $5-$10, 5$ и 10$", "от $5-$10, 5$ и 10$"),
    ("Цена $5. Код `X=$5`.", "Цена $5. Код <code>X=$5</code>."),
    ("$5 за штуку (или 3$)", "$5 за штуку (или 3$)"),
    ("It costs $20 in total, was 30$.", "It costs $20 in total, was 30$."),
    ("$HOME/$USER и ${A}/${B} и $(a)/$(b)", "$HOME/$USER и ${A}/${B} и $(a)/$(b)"),
    ("US$5, A$7 и R$9", "US$5, A$7 и R$9"),
    ("\\$5 и \\$6", "$5 и $6"),
    ("См. \\[1\\], \\[a-z\\] и \\(см. ниже\\)", "См. [1], [a-z] и (см. ниже)"),
    ("`$x^2$` и\n```\n$y^2$\n```", "<code>$x^2$</code> и\n<pre>$y^2$</pre>"),
    ("[a](https://a.ru/$b$) $c$", "<text_link https://a.ru/$b$>a</text_link> <code>c</code>"),
    ("$x$\n\nи 5$ за $y", "<code>x</code>\n\nи 5$ за $y"),
]
# fmt: on


@pytest.mark.parametrize(("markdown", "expected"), IN_TEXT)
def test_formulas_are_told_from_money_and_code(markdown: str, expected: str) -> None:
    """However a formula is marked, it is read; prices, variables and code are none."""
    assert [shown(piece) for piece in render(markdown) if isinstance(piece, Chunk)] == [expected]


# -- Any formula --------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    [f"\\{name}" for name in COMMANDS]
    + ["\\\\", "\\begin{cases}", "\\end{cases}", "\\begin{pmatrix}", "\\end{pmatrix}", "\\right"]
    + ["\\foo", "тр", *"{}{}{}^_&()[]|+-=<>,.;:!'/ ab12xя~$%#"]
)


@pytest.mark.slow
@settings(max_examples=500)
@given(st.lists(TOKENS, max_size=25).map("".join) | st.text(), st.booleans())
def test_any_formula_is_read_or_left_alone(latex: str, lines: bool) -> None:
    """Whatever a model writes, it raises nothing, and is not empty."""
    text = as_text(latex, lines=lines)
    assert text is None or text.strip()


LETTERS = st.sampled_from([*"abcdxyzABXYZ0123456789", "10", "тр", "2x", r"\text{км}", "ab"])
ONE = [r"\sqrt{%s}", r"\vec{%s}", r"\overline{%s}", r"\left(%s\right)", r"\sin %s", "(%s)", "{%s}"]
ONE += [r"\mathrm{%s}", r"|%s|", r"\boxed{%s}", r"-%s", r"\sum_{%s}", r"\underbrace{%s}"]
TWO = [
    r"\frac{%s}{%s}",
    "%s^{%s}",
    "%s_{%s}",
    "%s + %s",
    "%s = %s",
    r"%s \cdot %s",
    "%s %s",
    "%s/%s",
]
TWO += [r"\overset{%s}{%s}", r"\int_{%s}^{%s}", r"\begin{cases} %s \\ %s \end{cases}", "%s, %s"]
TWO += [r"\sqrt[{%s}]{%s}", r"\begin{pmatrix} %s & %s \end{pmatrix}", r"\lim_{%s} %s", r"%s \le %s"]


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda form, a: form % a, st.sampled_from(ONE), inner) | st.builds(
        lambda form, a, b: form % (a, b), st.sampled_from(TWO), inner, inner
    )


@pytest.mark.slow
@settings(max_examples=500)
@given(st.recursive(LETTERS, _larger, max_leaves=12), st.booleans())
def test_no_letter_is_lost(latex: str, lines: bool) -> None:
    """All letters and digits of a formula are in its text, whatever encloses them."""
    text = as_text(latex, lines=lines)
    assert text is not None
    plain = unicodedata.normalize("NFKD", text.replace("∛", "3").replace("∜", "4"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"vec|sin|lim", "", plain)
    source = re.sub(r"\\(begin|end)\{\w+\}|\\[a-z]+", "", latex)
    assert sorted(re.findall(r"\w", plain.replace("_", ""))) == sorted(
        re.findall(r"\w", unicodedata.normalize("NFKD", source.replace("_", "")))
    )


def test_no_command_has_two_meanings() -> None:
    """Tables of commands do not overlap, but for brackets that also stand alone."""
    names = [*INFIX, *ATOMS, *BIG, *FUNCTIONS, *(set(BRACKETS) - {"lbrack", "rbrack"}), *ACCENTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{a}{bc}", r"\frac{a}{b}c"),
        (r"\frac{a+b}{c}", r"a+\frac{b}{c}"),
        (r"\sqrt{ab}", r"\sqrt{a}b"),
        (r"\sqrt{a}^2", r"\sqrt{a^2}"),
        (r"\frac{a}{b}^2", r"\frac{a}{b^2}"),
        (r"a^{bc}", r"a^bc"),
        (r"e^{ix}", r"e^i x"),
        (r"x_{n+1}", r"x_n+1"),
        (r"\frac{\frac{a}{b}}{c}", r"\frac{a}{\frac{b}{c}}"),
        (r"\sin\frac{a}{b}", r"\frac{\sin a}{b}"),
        (r"2^{\frac{a}{b}}", r"\frac{2^a}{b}"),
        (r"\frac{a}{b}!", r"\frac{a}{b!}"),
        (r"2\sqrt[n]{x}", r"2^n\sqrt{x}"),
        (r"\frac{1}{2}x", r"\frac{1}{2x}"),
        (r"\frac{1}{2}S_{\text{осн}}", r"\frac{1}{2S_{\text{осн}}}"),
        (r"\log_2 x", r"\log 2x"),
        (r"F_{тр}v", r"F_{трv}"),
    ],
)
def test_different_formulas_look_different(one: str, other: str) -> None:
    """What LaTeX shows by height, parentheses do here."""
    assert as_text(one, lines=False) != as_text(other, lines=False)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        (r"Вода \ce{H2O} и \ce{SO4^{2-}}.", "Вода H₂O и SO₄²⁻."),
        (r"\ce{2H2 + O2 -> 2H2O}", "2H₂ + O₂ → 2H₂O"),
        (r"`\ce{H2O}` и \\ce{x}", r"\ce{H2O} и \\ce{x}"),
        (r"\ceil{x} и \ce{H2O", r"\ceil{x} и \ce{H2O"),
    ],
)
def test_chemistry_without_delimiters(source: str, read: str) -> None:
    """Models also write it so; what is not that stays."""
    assert [piece.text for piece in render(source)] == [read]


def test_chemistry_that_is_not_there_yet() -> None:
    """While an answer grows, a formula is shown when it has its end."""
    assert [piece.text for piece in render(r"Вода: \ce{H2", complete=False)] == ["Вода:"]
