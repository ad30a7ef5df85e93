"""Personas: those that come with the bot, the owner's own, and every mistake in a file."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

import bot
from handlers.dialogue.personas import FALLBACK, Persona, load

OURS = Path(bot.__file__).parent / "personas"
COOK = """
temperature = 0.3
[fr]
name = "Cuisinier"
about = "Cuisine"
prompt = '''
Tu es cuisinier.
'''
greeting = "Bonjour !"
questions = ["Un ?", "Deux ?", "Trois ?"]
"""


def test_those_that_come_with_the_bot() -> None:
    """Seven, each in Russian and English, short enough to leave the window to the conversation."""
    found = load(OURS)
    assert {*found} == {
        *("assistant", "editor", "translator", "tutor", "programmer", "brief", "storyteller")
    }
    for key, persona in found.items():
        assert persona.key == key
        for words in (persona.name, persona.about, persona.prompt, persona.greeting):
            assert {*words} == {"en", "ru"}
        assert max(map(len, persona.prompt.values())) <= 960, key
        for language, russian in (("en", False), ("ru", True)):
            said = " ".join((persona.name[language], persona.about[language]))
            assert any("а" <= letter <= "я" for letter in said.lower()) == russian


def test_the_owner_adds_and_replaces(tmp_path: Path) -> None:
    """A file of the same name replaces ours; other files and hidden ones are left alone."""
    (tmp_path / "cook.toml").write_text(COOK)
    (tmp_path / "tutor.toml").write_text(COOK)
    (tmp_path / "README.md").write_text("?")
    (tmp_path / "._cook.toml").write_bytes(b"\xff")
    found = load(OURS, tmp_path)
    assert {*found} == {*load(OURS), "cook"}
    assert found["tutor"] == replace(found["cook"], key="tutor")
    words = {"fr": "Tu es cuisinier.", FALLBACK: "Tu es cuisinier."}
    assert found["cook"] == Persona(
        "cook",
        dict.fromkeys(words, "Cuisinier"),
        dict.fromkeys(words, "Cuisine"),
        words,
        0.3,
        dict.fromkeys(words, "Bonjour !"),
        dict.fromkeys(words, ("Un ?", "Deux ?", "Trois ?")),
    )


BAD = {
    "no TOML": ("a", "Expected '=' after a key"),
    "no words": ("temperature = 1", r"has no language; begin one with a line such as \[en\]"),
    "no temperature": (COOK.replace("temperature = 0.3", ""), "temperature is missing"),
    "too hot": (COOK.replace("0.3", "1.5"), "temperature should be less than or equal to 1"),
    "not even a number": (COOK.replace("0.3", "nan"), "temperature should be"),
    "a text": (COOK.replace("0.3", "'0.3'"), "temperature should be a valid number"),
    "two questions": (COOK.replace(', "Trois ?"', ""), "fr.questions.2 is missing"),
    "four questions": (COOK.replace('"Un ?"', '"Un ?", "?"'), "fr.questions .* at most 3"),
    "a long question": (COOK.replace("Un ?", "?" * 49), "fr.questions.0 .* at most 48"),
    "no name": (COOK.replace("Cuisinier", "  "), "fr.name should have at least 1 character"),
    "misspelt": (COOK.replace("about", "abuot"), "fr.about is missing; .*fr.abuot means nothing"),
    "a language by its name": (COOK.replace("[fr]", "[french]"), "french is no language's code"),
    "a misspelt setting": (f"temprature = 1\n{COOK}", "temprature means nothing here"),
}


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_a_mistake(tmp_path: Path, text: str, problem: str) -> None:
    """It is named, with its file and its place."""
    (tmp_path / "cook.toml").write_text(text)
    with pytest.raises(ValueError, match=rf"^cook\.toml: {problem}"):
        load(tmp_path)


def test_all_mistakes(tmp_path: Path) -> None:
    """They are told at once, also of files and folders that cannot be read."""
    (tmp_path / "Cook.toml").write_text(COOK)
    (tmp_path / "cook.toml").write_text(COOK.replace("name", "nom"))
    (tmp_path / "latin.toml").write_bytes(COOK.replace("C", "é").encode("latin-1"))
    (tmp_path / "tutor.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ValueError, match="no_such_folder") as raised:
        load(OURS, tmp_path, tmp_path / "no_such_folder")
    told = str(raised.value).split("; ")
    assert [said.partition(": ")[0] for said in told] == [
        *("Cook.toml", "cook.toml", "cook.toml", "latin.toml", "pipe.toml", "tutor.toml"),
        str(tmp_path / "no_such_folder"),
    ]
    assert told[3] == "latin.toml: is not in UTF-8"
    assert told[0].endswith("is named in small Latin letters, digits and _")
    assert told[-1].endswith("No such file or directory")


def test_more_than_a_menu_can_show(tmp_path: Path) -> None:
    """That is said at the start, and not by Telegram when somebody opens the menu."""
    for number in range(51):
        (tmp_path / f"cook{number}.toml").write_text(COOK)
    with pytest.raises(ValueError, match="51 personas; 50 at most fit into a menu"):
        load(tmp_path)
