"""Code that goes out as a file."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rendering.filename import file_name
from handlers.rendering.markup import Chunk, File, render
from tests.handlers.reading import assert_sendable, messages, shown

CODE = "\n".join(f"    x{n} = a*b < c || \\[{n}\\]  " for n in range(150)) + "\nконец"


def files(markdown: str) -> list[File]:
    return [piece for piece in render(markdown) if isinstance(piece, File)]


def test_long_code_is_a_file_after_the_messages() -> None:
    """In its place stands its name, formatting around it stays, and not a sign of it is lost."""
    pieces = render(f"**Вот**:\n\n```python\n{CODE}\n```\n\nИ *всё*.")
    assert_sendable(pieces)
    assert [shown(chunk) for chunk in messages(pieces)] == [
        "<bold>Вот</bold>:\n\n📎 code.py\n\nИ <italic>всё</italic>."
    ]
    assert pieces[1:] == [File("code.py", CODE + "\n")]


def test_code_in_a_list_and_in_a_quote_is_a_file_too() -> None:
    """What indents the code is not part of it."""
    listed = "1. Раз:\n   ```js\n" + "   f(1);\n" * 600 + "   ```\n2. Два"
    quoted = "> ```go\n" + "> f(1)\n" * 900 + "> ```\n> и **всё**"
    assert shown(messages(render(listed))[0]) == "1. Раз:\n📎 code.js\n2. Два"
    assert files(listed) == [File("code.js", "f(1);\n" * 600)]
    assert shown(messages(render(quoted))[0]) == (
        "<blockquote>📎 code.go\nи <bold>всё</bold></blockquote>"
    )
    assert files(quoted) == [File("code.go", "f(1)\n" * 900)]


def test_indented_code_may_be_a_file_too() -> None:
    """Without a language it is text."""
    assert files("Код:\n\n" + "    f(1)\n" * 900) == [File("code.txt", "f(1)\n" * 900)]


@pytest.mark.parametrize("short", ["x" * 3500, "| a | b |\n|---|---|\n" + "| c | d |\n" * 900])
def test_other_things_are_no_files(short: str) -> None:
    """Code that can be read in a chat, and tables, stay messages."""
    block = short if "|" in short else f"```\n{short}\n```"
    assert not files(f"Вот:\n\n{block}\n\nВсё")


def test_several_files_have_several_names() -> None:
    """Files are numbered where they would have the same name."""
    markdown = f"```python\n{CODE}\n```\nи\n```go\n{CODE}\n```\nи\n```python\n{CODE}\n```"
    assert [file.name for file in files(markdown)] == ["code.py", "code.go", "code-2.py"]
    text = "📎 code.py\nи\n📎 code.go\nи\n📎 code-2.py"
    assert render(markdown)[0] == render(markdown, complete=False)[0] == Chunk(text, ())


def test_a_growing_file_is_its_name_once_it_is_too_long() -> None:
    """Until then its code is shown; the name does not change any more."""
    code = "# app.py\n" + "x = 1\n" * 1000
    for length in range(100, len(code), 100):
        chunks = render(f"Вот:\n\n```py\n{code[:length]}", complete=False)
        if length > 3600:
            assert chunks == [Chunk("Вот:\n\n📎 app.py", ())]
        elif length < 3500:
            assert chunks[0].text.startswith("Вот:\n\n# app.py")


# fmt: off
NAMES = [
    ("python", "x = 1", "code.py"),
    ("Python", "x = 1", "code.py"),
    ("", "x = 1", "code.txt"),
    ("brainfuck", "+", "code.txt"),
    ("bash", "#!/bin/bash", "script.sh"),
    ("c++", "int x;", "code.cpp"),
    ("dockerfile", "FROM a", "Dockerfile"),
    ("rust,ignore", "x", "code.rs"),
    ('python title="src/app.py"', "x", "app.py"),
    ("python:src/app.py", "x", "app.py"),
    ("js {filename=a.test.js}", "x", "a.test.js"),
    ("src/main.go", "x", "main.go"),
    ("python", "# app.py", "app.py"),
    ("python", "# Файл: src/app.py", "app.py"),
    ("go", "// cmd\\main.go", "main.go"),
    ("sql", "-- schema.sql", "schema.sql"),
    ("css", "/* style.min.css */", "style.min.css"),
    ("html", "<!-- index.html -->", "index.html"),
    ("python", "# reads app.py and writes b.py", "code.py"),
    ("python", "# версия 1.2", "code.py"),
    ("python", "import app.py", "code.py"),
    ("python", "# ../../.ssh", "code.py"),
    ("python", "# приложение.py", "code.py"),
]
# fmt: on


@pytest.mark.parametrize(("info", "first", "name"), NAMES)
def test_a_file_is_named_by_what_is_known_of_it(info: str, first: str, name: str) -> None:
    """By its info string or its first line if they name a file, else by its language."""
    assert file_name(info, f"{first}\nx = 2\n", ()) == name


def test_a_name_without_an_extension_can_be_numbered() -> None:
    """The number goes to the end."""
    assert file_name("dockerfile", "", {"Dockerfile"}) == "Dockerfile-2"


@given(st.text(), st.text(), st.sets(st.sampled_from(["code.py", "code-2.py", "code.txt"])))
def test_any_name_is_safe(info: str, code: str, taken: set[str]) -> None:
    """No path, no control characters, nothing hidden; and none that is taken."""
    name = file_name(info, code, taken)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,80}", name)
    assert name not in taken
