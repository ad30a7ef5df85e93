"""What a model means literally: outside of what Markdown marks, every character stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rendering.markup import Chunk, render
from tests.handlers.reading import assert_sendable, messages, shown

# fmt: off
LITERAL = [
    "if (a||b||c) { return x || y; }",
    "C:\\Users\\*.txt, D:\\_data_\\*, \\\\server\\share\\_a_",
    "**/*.ts и **/test/**, */5 * * * *, **/a и **/b",
    "src/**/*.ts, lib/**/*.js, /usr/*/bin, *.py и *.txt",
    "https://a.ru/_b_/c*d*e?x=1&y_z=2, www.a.ru/_b_",
    "\\d+\\.\\d* и [A-Z]\\w*\\.",
    '__main__, __name__ == "__main__", __init__.py, __FILE__',
    "2*3*4 = 24, a*b*c, 2 * 3 * 4, 2**10, f(*a, **b), f(**a,**b)",
    "(1+r)**n - (1-r)**n, (a+b)**2 - (a-b)**2, f[i]**2 - f[j]**2",
    "(100+50)*1,2 + 30*(1-0,1), A[i]*B[j] + C[k]*(D), n*(n-1)*(n-2), (a+b)*цена + (c)*d",
    "COUNT(*), SUM(a), COUNT(*), '_' и '_', \"*\" и \"*\", «*» и «*», [*] и [*]",
    "*.log и data_*.csv, logs_*.csv, (*.py, *.pyi)",
    "int *p; char **q; x **= 2",
    "цена $5 и $10, $HOME и ${PATH}",
    "примерно ~5 и ~6~",
    "m[i](j), a[0](x), f[i][j], [1], [^1]",
    "тег <b> и </b>, List<int>, a<b>c, <script>alert(1)</script>, a < b",
    "snake_case_name, _private, user_name@mail.ru, @some_bot",
    "AT&T, R&D, C#, C++, #хэштег, 50%, №5, a->b, x => y, a != b",
]
MARKED = [
    ("Цена $5. Код `X=$5`.", "Цена $5. Код <code>X=$5</code>."),
    ("`a||b` и `<b>x</b>` и `C:\\*` и `2*3*4`",
     "<code>a||b</code> и <code><b>x</b></code> и <code>C:\\*</code> и <code>2*3*4</code>"),
    ("`||y||` и `\\|x|`", "<code>||y||</code> и <code>\\|x|</code>"),
    ("&lt;b&gt;a&lt;/b&gt; &#124;&#124;x&#124;&#124;", "<b>a</b> ||x||"),
    ("<https://ya.ru/a_b_c> и <a@b.ru>", "https://ya.ru/a_b_c и a@b.ru"),
    ("**https://a.ru**, ~~https://b.ru~~.",
     "<bold>https://a.ru</bold>, <strikethrough>https://b.ru</strikethrough>."),
    ("(**https://a.ru/**) и **https://c.ru/_d_e**!",
     "(<bold>https://a.ru/</bold>) и <bold>https://c.ru/_d_e</bold>!"),
    ("**https://ya.ru/a_b** и **C:\\Temp**",
     "<bold>https://ya.ru/a_b</bold> и <bold>C:\\Temp</bold>"),
    ("H<sub>2</sub>O, м<sup>2</sup>, x<sub>n+1</sub>", "H₂O, м², xₙ₊₁"),
    ("F<sub>тр</sub>, e<sup>x, y</sup>, **H<sub>2</sub>O**", "F_тр, e^(x, y), <bold>H₂O</bold>"),
    ("раз<br>два<br/>три<BR />четыре", "раз\nдва\nтри\nчетыре"),
    ("| a | b |\n|-|-|\n| x<br>y | z |", "<pre>a | b\n--+--\nx | z\ny |</pre>"),
    ("<b>ж</b>, <i>к</i>, <u>п</u>",
     "<bold>ж</bold>, <italic>к</italic>, <underline>п</underline>"),
    ("<s>з</s>, <strong>ж</strong>, <em>к</em>",
     "<strikethrough>з</strikethrough>, <bold>ж</bold>, <italic>к</italic>"),
    ("**Ответ:**5, **Да!**Нет, **(а)**б, **«Да»**или",
     "<bold>Ответ:</bold>5, <bold>Да!</bold>Нет, <bold>(а)</bold>б, <bold>«Да»</bold>или"),
    ("1)**Да** и [1]**yes**, *ж*(к)",
     "1)<bold>Да</bold> и [1]<bold>yes</bold>, <italic>ж</italic>(к)"),
    ("**(а)**(б), **Итог:** (a)*b + (c)*d",
     "<bold>(а)</bold>(б), <bold>Итог:</bold> (a)*b + (c)*d"),
    ("**/start** — запуск, **/etc/hosts**, **/help:** да",
     "<bold>/start</bold> — запуск, <bold>/etc/hosts</bold>, <bold>/help:</bold> да"),
    ("- >18 лет — можно\n- <18 лет — нельзя\n- >= 90\n- > 5",
     "• >18 лет — можно\n• <18 лет — нельзя\n• >= 90\n• > 5"),
    (">30 — много\n\n>= 90\n\n1. >100\n2. > 5", ">30 — много\n\n>= 90\n\n1. >100\n2. > 5"),
    ("> 30 слов\n>5 строк\n\n>1. а\n>2 б",
     "<blockquote>30 слов\n5 строк</blockquote>\n\n<blockquote>1. а\n2 б</blockquote>"),
    ("__важно__ и __Very bold__", "<bold>важно</bold> и <bold>Very bold</bold>"),
    ("||тайна||, (||б||) и ||в *г*||",
     "<spoiler>тайна</spoiler>, (<spoiler>б</spoiler>) и <spoiler>в <italic>г</italic></spoiler>"),
    ("\\*не курсив\\*, snake\\_case, \\|\\|не тайна\\|\\|",
     "*не курсив*, snake_case, ||не тайна||"),
    ("\\<b>x\\</b>, \\~5, \\[^1], \\\\<i>x</i>", "<b>x</b>, ~5, [^1], \\<i>x</i>"),
    ("**a**/**b** и [x](y_z_)", "<bold>a</bold>/<bold>b</bold> и x (y_z_)"),
]
NUMBERED = [
    ("988. Крещение\n1147. Москва\n1380. Поле", None),
    ("3) а\n5) б", None),
    ("1812. Война с Наполеоном.", None),
    ("01. а\n02. б", None),
    ("1. а\n1. б\n1. в", "1. а\n2. б\n3. в"),
    ("1) а\n1) б", "1) а\n2) б"),
    ("1. а\n1. б\n2. в", None),
    ("2. б\n1. а\n3. в", None),
    ("Годы:\n1945. Победа\n1961. Гагарин", None),
    ("1. а\n   3) б\n   5) в\n4. г", "1. а\n3) б\n5) в\n4. г"),
    ("1. а\n   1) б\n   2) в\n4. г", "1. а\n  1) б\n  2) в\n4. г"),
    ("- а\n  7. б\n  9. в", "• а\n7. б\n9. в"),
    ("1. а\n\n   ```py\n   x\n   ```\n3. б\n\n   абзац\n\n5. в",
     "1. а\n\n<pre py>x</pre>\n3. б\nабзац\n5. в"),
    ("> 5. а\n> 7. б", "<blockquote>5. а\n7. б</blockquote>"),
    ("2) **а**\n4) [x] б", "2) <bold>а</bold>\n4) ☑ б"),
]
# fmt: on


def text_of(markdown: str) -> str:
    pieces = render(markdown)
    assert_sendable(pieces)
    return "\n\n".join(shown(piece) for piece in pieces if isinstance(piece, Chunk))


@pytest.mark.parametrize("markdown", LITERAL)
def test_nothing_is_lost_or_changed(markdown: str) -> None:
    """Code, paths, addresses, prices and operators have no marks in them."""
    assert text_of(markdown) == markdown


@pytest.mark.parametrize(("markdown", "expected"), MARKED)
def test_marks_are_read(markdown: str, expected: str) -> None:
    """Whatever is marked, by Markdown or by the HTML that models mix with it, looks so."""
    assert text_of(markdown) == expected


@pytest.mark.parametrize(("markdown", "expected"), NUMBERED)
def test_numbers_stay_as_written(markdown: str, expected: str | None) -> None:
    """Only a list whose numbers are all the same is counted; each keeps its own mark."""
    assert text_of(markdown) == (expected or markdown)


@given(
    st.lists(st.integers(0, 9999), min_size=1, max_size=8).filter(
        lambda numbers: len(numbers) == 1 or len(set(numbers)) > 1
    ),
    st.sampled_from(".)"),
)
def test_any_numbers_stay(numbers: list[int], mark: str) -> None:
    """Facts are not counted anew: years, places, steps that were left out."""
    markdown = "\n".join(f"{number}{mark} слово" for number in numbers)
    assert text_of(markdown) == markdown


# fmt: off
WORDS = st.sampled_from([
    "слово", "Слово,", "word.", "(скобки)", "«кавычки»", "—", "2*3*4", "a * b", "a*b", "2**10",
    "C:\\Users\\*.txt", "C:\\_a_\\b", "src/**/*.ts", "\\d+\\.\\d*", "||", "a||b", "x||y||z", "|",
    "__main__", "__init__.py", "snake_case_name", "_id", "$5", "$10.50", "$HOME", "US$7", "~5",
    "a<b", "<div>", "</p>", "List<int>", "a[i]", "m[i][j]", "a[i](x)", "[1]", "[^1]", "AT&T",
    "#хэштег", "C#", "C++", "a->b", "=>", "!=", "50%", "№5", "https://a.ru/_b_/c*d",
    "a_b@c.ru",
    "{x}", "x=1;", "1)", "1812.", "-5", "+7", "&&", "&x", "\\n", "…", "😀", "1,5", "x^2",
    "a/b", "*",
])
CODE = st.sampled_from(["a||b", "X=$5", "C:\\*", "<b>x</b>", "__a__", "**x**", "$x$"])
# fmt: on


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(st.lists(WORDS | CODE.map("`{}`".format), max_size=8), min_size=1, max_size=4))
def test_any_prose_stays_as_it_is(lines: list[list[str]]) -> None:
    """What models write between marks, in any order, is neither lost nor changed."""
    markdown = "\n".join(" ".join(["Итак,", *line]) for line in lines)
    chunks = messages(render(markdown))
    assert_sendable(chunks)
    assert "".join(chunk.text for chunk in chunks) == markdown.replace("`", "")
    assert {entity["type"] for chunk in chunks for entity in chunk.entities} <= {"code"}
