"""The file name for code that is sent as a file."""

import re
from collections.abc import Container

_NAMES = {
    "bash": "script.sh",
    "sh": "script.sh",
    "shell": "script.sh",
    "zsh": "script.sh",
    "powershell": "script.ps1",
    "dockerfile": "Dockerfile",
    "makefile": "Makefile",
    "html": "page.html",
    "css": "style.css",
    "sql": "query.sql",
}
_EXTENSIONS = {
    "asm": "asm",
    "bat": "bat",
    "c": "c",
    "c#": "cs",
    "c++": "cpp",
    "clojure": "clj",
    "cpp": "cpp",
    "cs": "cs",
    "csharp": "cs",
    "csv": "csv",
    "dart": "dart",
    "diff": "diff",
    "elixir": "ex",
    "erlang": "erl",
    "f#": "fs",
    "go": "go",
    "golang": "go",
    "graphql": "graphql",
    "groovy": "groovy",
    "haskell": "hs",
    "ini": "ini",
    "java": "java",
    "javascript": "js",
    "js": "js",
    "json": "json",
    "jsx": "jsx",
    "julia": "jl",
    "kotlin": "kt",
    "latex": "tex",
    "lua": "lua",
    "markdown": "md",
    "md": "md",
    "mermaid": "mmd",
    "nginx": "conf",
    "objective-c": "m",
    "pascal": "pas",
    "perl": "pl",
    "php": "php",
    "proto": "proto",
    "py": "py",
    "python": "py",
    "r": "r",
    "rb": "rb",
    "rs": "rs",
    "ruby": "rb",
    "rust": "rs",
    "scala": "scala",
    "scss": "scss",
    "svg": "svg",
    "swift": "swift",
    "tex": "tex",
    "toml": "toml",
    "ts": "ts",
    "tsx": "tsx",
    "typescript": "ts",
    "vb": "vb",
    "vue": "vue",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yml",
    "zig": "zig",
}

_NAME = r"(?P<name>[A-Za-z0-9_][\w.-]{0,60}\.[A-Za-z]\w{0,9})"
_IN_INFO = re.compile(rf"""(?:^|[\s/\\:="'({{]){_NAME}(?=$|[\s"',)}}])""", re.ASCII)
# A comment that is a path and nothing else: "# app.py", "// File: src/main.go".
_IN_COMMENT = re.compile(
    rf"\s*(?:#|//|--|/\*|<!--|;|%)\s*(?:[^\W\d_]+:\s*)?(?:[\w.-]*[/\\])*{_NAME}\s*(?:\*/|-->)?\s*"
)


def language(info: str) -> str:
    """Return the language at the start of a code block's info string, if any."""
    found = re.match(r"[^\s:{,]*", info)
    return found[0] if found else ""


def file_name(info: str, code: str, taken: Container[str]) -> str:
    """Name code after its info string or first line, else after its language.

    The name is not in ``taken`` and has only Latin letters, digits and ``_.-``.
    """
    found = _IN_INFO.search(info) or _IN_COMMENT.fullmatch(code.partition("\n")[0])
    name = found["name"] if found else _by_language(language(info).lower())
    stem, dot, extension = name.rpartition(".") if "." in name else (name, "", "")
    number = 2
    while name in taken:
        name = f"{stem}-{number}{dot}{extension}"
        number += 1
    return name


def _by_language(name: str) -> str:
    return _NAMES.get(name) or f"code.{_EXTENSIONS.get(name, 'txt')}"
