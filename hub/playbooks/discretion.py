"""What whoever may read sees of a playbook's doing names nobody: titles of alerts and tasks, and custom fields.

The API shows these to tokens without the scope `personal`, too. So their templates may not say what a source's record or one of
our people tells of a person in free words; the reason of a call may, which only that scope shows. Of an event nobody knows
beforehand what is in it: addresses of people are left out where it is put into a title.

    for fault in indiscretions(step.settings, trigger): …
"""

import re
from collections.abc import Iterator

from hub.playbooks.steps import Call, Settings, Update
from hub.playbooks.triggers import Trigger
from hub.store.playbooks import RECORD_FIELDS
from hub.store.privacy.places import BY_TABLE
from hub.store.tables import RECORD_TABLES

FREE_WORDS = {"renewal": frozenset({"reason"}), "onboarding": frozenset({"ended_why"})}
"""What our own people wrote, by the name it has in templates."""
_TAG = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")


def indiscretions(settings: Settings, trigger: Trigger) -> Iterator[str]:
    """What is wrong with a step's settings; nothing where they name nobody."""
    hidden = dict(FREE_WORDS)
    if trigger.record is not None:
        hidden["record"] = personal_fields(trigger.record)
    for where, text in _open_texts(settings):
        for name, fields in hidden.items():
            for field in sorted(fields):
                if _says(text, name, field):
                    yield (
                        f"{where} is seen by all who may read, and {name}.{field} may tell of a person: "
                        f"{'put it into the reason' if isinstance(settings, Call) else 'leave it out'}"
                    )


def personal_fields(record: str) -> frozenset[str]:
    """Fields of a record that erasing a person changes: they hold people, or words about them."""
    place = BY_TABLE[RECORD_TABLES[record].name]
    return frozenset(RECORD_FIELDS[record]) & {*place.own, *place.personal, *place.texts}


def _open_texts(settings: Settings) -> Iterator[tuple[str, str]]:
    if isinstance(settings, Call):
        yield "title", settings.title
    elif isinstance(settings, Update):
        yield from ((name, value) for name, value in settings.fields.items() if isinstance(value, str))


def _says(text: str, name: str, field: str) -> bool:
    """Whether a template's tags speak of name.field, or of name['field']."""
    for tag in _TAG.findall(text):
        if re.search(rf"\b{name}\s*\[\s*['\"]{field}['\"]", tag):
            return True
        if re.search(rf"(?<![.\w]){name}\s*\.\s*{field}\b", _TEXT.sub("''", tag)):
            return True
    return False
