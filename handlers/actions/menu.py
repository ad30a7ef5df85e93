"""The settings of a chat: one table of them, and the menu that is drawn from it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.dialogue.personas import Persona, spoken
from handlers.rendering.markup import Chunk
from handlers.texts import CATALOGUES, Texts
from handlers.turn.press import Choice
from handlers.turn.reply import Button, Reply
from storage.chat_settings import ChatSettings, Choices, When

Values = Mapping[str, str | None]
"""What changes, by the settings' names, first the one that is chosen; None: to the default."""
CURRENT = "● "
LENGTHS = ("250", "500", "1000", "2000", "4000", "8000")


@dataclass(frozen=True, slots=True)
class View:
    """What a menu shows: what is ``chosen`` for a chat, in the words of whoever looks at it.

    ``defaults`` are the owner's. ``company``: many people speak there. ``title`` is a group's name.
    ``person`` is who changes them, "" if that stays hidden from the others there.
    """

    texts: Texts
    chosen: Choices
    defaults: ChatSettings
    personas: Mapping[str, Persona]
    locked: frozenset[str]
    company: bool
    title: str = ""
    person: str = ""

    def by_whom(self, told: str) -> str:
        """Put who has made a change, as the others there may know, before what is ``told`` of it.

        A sentence, since the bot speaks of itself: after a name alone it would seem a quotation.
        """
        if not self.company:
            return told
        changed = self.texts.settings_changed.format(name=self.person or self.texts.an_admin)
        return f"{changed} {told}"

    def value(self, setting: "Setting") -> str:
        """Return what holds in the chat, as it is written; "" if that is no choice at all."""
        settings = self.chosen.settings.without(self.locked)
        if value := settings.text(setting.name):
            return value
        persona = None if settings.prompt else self.personas.get(settings.persona or "")
        if persona and setting.name == "temperature" and setting.name not in self.locked:
            return f"{persona.temperature:g}"
        return self.defaults.text(setting.name)

    def told(self, setting: "Setting") -> str:
        """Name a setting and what holds."""
        told = f"{setting.title(self.texts)}: {setting.label(self, self.value(setting))}"
        locked = self.texts.setting_locked
        return locked.format(setting=told) if setting.name in self.locked else told

    def changed(self, values: Values) -> "View":
        """Return the view after a change."""
        own = {**self.chosen.own, **values, "version": str(self.chosen.version + 1)}
        kept = {name: value for name, value in own.items() if value is not None}
        return replace(self, chosen=replace(self.chosen, own=kept))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field's name, which `LOCKED` and buttons use too, and its words.

    ``values`` are what buttons offer; without any, a command gives it. ``company``: only where many
    people speak.
    """

    name: str
    title: Callable[[Texts], str]
    about: Callable[[Texts], str]
    label: Callable[[View, str], str]
    values: Callable[[View], Sequence[str]] = lambda _view: ()
    company: bool = False


def _persona(view: View, key: str) -> str:
    persona = view.personas.get(key)
    return spoken(persona.name, view.texts.language) if persona else view.texts.setting_usual


def _when(view: View, value: str) -> str:
    texts = view.texts
    return {
        When.ADDRESSED: texts.when_addressed,
        When.ALWAYS: texts.when_always,
        When.COMMANDS: texts.when_commands,
        When.NEVER: texts.when_never,
    }[When(value)]


def _streaming(view: View, value: str) -> str:
    texts = view.texts
    shown = {"edits": texts.streaming_edits, "drafts": texts.streaming_drafts}
    return shown.get(value, texts.streaming_off)


def _heard(view: View, value: str) -> str:
    texts = view.texts
    return texts.hears_nothing if value == "0" else texts.counted(texts.hears_some, int(value))


def _language(view: View, value: str) -> str:
    return CATALOGUES[value].own_name if value in CATALOGUES else view.texts.language_auto


PERSONA = Setting(
    "persona",
    lambda texts: texts.setting_persona,
    lambda texts: texts.setting_persona_about,
    _persona,
    lambda view: (*view.personas,),
)
SETTINGS = (
    PERSONA,
    Setting(
        "prompt",
        lambda texts: texts.setting_prompt,
        lambda texts: texts.setting_prompt_about,
        lambda view, value: view.texts.setting_own if value else view.texts.setting_none,
    ),
    Setting(
        "temperature",
        lambda texts: texts.setting_temperature,
        lambda texts: texts.setting_temperature_about,
        lambda view, value: view.texts.number(float(value)),
        lambda _view: ("0", "0.3", "0.6", "1"),
    ),
    Setting(
        "length",
        lambda texts: texts.setting_length,
        lambda texts: texts.setting_length_about,
        lambda view, value: view.texts.counted(view.texts.setting_length_value, int(value)),
        lambda view: [one for one in LENGTHS if int(one) <= (view.defaults.length or 0)],
    ),
    Setting(
        "when",
        lambda texts: texts.setting_when,
        lambda texts: texts.setting_when_about,
        _when,
        lambda _view: (*When,),
        company=True,
    ),
    Setting(
        "names",
        lambda texts: texts.setting_names,
        lambda texts: texts.setting_names_about,
        lambda view, value: value.replace("\n", ", ") or view.texts.setting_none,
        company=True,
    ),
    Setting(
        "reset",
        lambda texts: texts.setting_reset,
        lambda texts: texts.setting_reset_about,
        lambda view, value: (
            view.texts.reset_everybody if value == "everybody" else view.texts.reset_admins
        ),
        lambda _view: ("admins", "everybody"),
        company=True,
    ),
    Setting(
        "hears",
        lambda texts: texts.setting_hears,
        lambda texts: texts.setting_hears_about,
        _heard,
        lambda _view: ("0", "10", "20", "50"),
        company=True,
    ),
    Setting(
        "streaming",
        lambda texts: texts.setting_streaming,
        lambda texts: texts.setting_streaming_about,
        _streaming,
        lambda view: ("edits", "off") if view.company else ("edits", "drafts", "off"),
    ),
    Setting(
        "buttons",
        lambda texts: texts.setting_buttons,
        lambda texts: texts.setting_buttons_about,
        lambda view, value: view.texts.setting_on if value == "on" else view.texts.setting_off,
        lambda _view: ("on", "off"),
    ),
    Setting(
        "language",
        lambda texts: texts.setting_language,
        lambda texts: texts.setting_language_about,
        _language,
        lambda _view: (*CATALOGUES,),
    ),
)


def find(view: View, name: str) -> Setting | None:
    """Find a setting of the chat by its name."""
    return next((one for one in _offered(view) if one.name == name), None)


def change(view: View, setting: Setting, value: str) -> Values | None:
    """Return what choosing a value changes, "" being the default; None if it is not offered.

    A persona and an instruction of the chat's own take each other's place.
    """
    if value and value not in setting.values(view):
        return None
    return written(view.chosen, setting.name, value)


def written(chosen: Choices, name: str, value: str) -> dict[str, str | None]:
    """Return all that is written when a setting of a chat gets this value."""
    hidden = "" if chosen.chat.topic_id else None  # a topic hides what its group has chosen
    other = {"persona": "prompt", "prompt": "persona"}.get(name)
    if other is None:
        return {name: value or None}
    if not value and chosen.own.get(other):  # that stays, and so does what it hides
        return {name: hidden}
    return {name: value or None, other: hidden if value else None}


def page(view: View, name: str = "") -> Reply:
    """Draw the page of one setting, or the first one."""
    setting = find(view, name)
    return _page_of(view, setting) if setting else _first_page(view)


def _offered(view: View) -> list[Setting]:
    return [one for one in SETTINGS if view.company or not one.company]


def _first_page(view: View) -> Reply:
    texts, chat = view.texts, view.chosen.chat
    title = texts.settings_of_chat
    if view.title:
        named = texts.settings_of_topic if chat.topic_id else texts.settings_of_group
        title = named.format(title=view.title)
    buttons = [
        Button(view.told(one), _data(view, one.name, None), row)
        for row, one in enumerate(_offered(view))
    ]
    return Reply([Chunk(f"{title}\n\n{texts.settings_hint}", ())], buttons)


def _page_of(view: View, setting: Setting) -> Reply:
    texts, told = view.texts, [view.told(setting), setting.about(view.texts)]
    if setting.name == "prompt" and (prompt := view.value(setting)):
        told.append(prompt)
    keys = [] if setting.name in view.locked else buttons(view, setting, "set")
    if setting.name in view.locked:
        told.append(texts.setting_is_locked)
    back = Button(texts.setting_back, _data(view, "", None), len(keys))
    return Reply([Chunk("\n\n".join(told), ())], [*keys, back])


def buttons(view: View, setting: Setting, name: str) -> list[Button]:
    """Return buttons called ``name``, one below the other, that choose a setting's value."""
    now = view.value(setting)
    labels = {
        value: (CURRENT if value == now else "") + setting.label(view, value)
        for value in setting.values(view)
    }
    if view.chosen.own.get(setting.name):
        labels[""] = view.texts.setting_default
    return [
        Button(label, _data(view, setting.name, value, name), row)
        for row, (value, label) in enumerate(labels.items())
    ]


def _data(view: View, setting: str, value: str | None, name: str = "set") -> str:
    return str(Choice(name, view.chosen.chat, view.chosen.version, setting, value))
