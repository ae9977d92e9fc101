"""The book of health definitions from its files, with every fault of all of them at once.

    book = load(Document.read("config/health.yaml"), {"adoption": Document.read("config/health/adoption.yaml"), …})

The main file may say `rollup`. Each of the others says one of two things about itself: `beside: true`, a scorecard of its
own beside the main one, or `when` with a `priority`, whose customers it scores in the main one's place. With
`enabled: false` it is read and checked, and speaks of nobody.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.documents import Document
from hub.errors import ConfigError, Fault
from hub.model.conditions import Condition, ConditionError, parse
from scoring import definition
from scoring.book import HealthBook, Rollup, Variant
from scoring.choosing import FIELDS
from scoring.definition import MAIN, HealthDefinition
from scoring.measure import Measure

NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")
MAIN_ONLY, OTHERS_ONLY = ("rollup",), ("when", "priority", "beside", "enabled")


def load(
    main: Document | HealthDefinition,
    others: Mapping[str, Document],
    *,
    measures: Mapping[str, Measure] | None = None,
    all_enabled: bool = False,
) -> HealthBook:
    """The book; raise ConfigError with every fault.

    main         its file, or the definition itself where there is one already
    others       {name: its file}
    measures     those there are, if not all
    all_enabled  whether those speak, too, that are switched off
    """
    faults: list[Fault] = []
    made: dict[str, HealthDefinition] = {}
    conditions: dict[str, Condition] = {}
    read = dict(others)
    if isinstance(main, HealthDefinition):
        made[MAIN] = main
    else:
        read = {MAIN: main, **others}
        faults += [
            main.fault("is for the files in config/health/; this one is the main definition", key=(key,))
            for key in OTHERS_ONLY
            if key in _top(main)
        ]
    for name, document in read.items():
        try:
            made[name] = definition.load(document, measures=measures, name=name)
        except ConfigError as error:
            faults += error.faults
    for name, document in others.items():
        faults += _place(name, document)
        try:
            if "when" in _top(document):
                conditions[name] = parse(_top(document)["when"], FIELDS)
        except ConditionError as error:
            faults += [
                document.fault(each.message, key=("when", *each.key), choices=each.choices) for each in error.problems
            ]
    enabled = {name: each for name, each in others.items() if all_enabled or _top(each).get("enabled", True)}
    faults += _equals(enabled)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    variants = [
        Variant(made[name], when, _top(enabled[name])["priority"])
        for name, when in conditions.items()
        if name in enabled
    ]
    return HealthBook(
        main=made[MAIN],
        variants=tuple(sorted(variants, key=lambda variant: -variant.priority)),
        extras=tuple(made[name] for name in sorted(enabled) if name not in conditions),
        rollup=Rollup(_top(read.get(MAIN)).get("rollup", Rollup.VALUE)),
    )


def _top(document: Document | None) -> dict[str, Any]:
    return document.value if document is not None and isinstance(document.value, dict) else {}


def _place(name: str, document: Document) -> Iterator[Fault]:
    """What is wrong with how a file stands to the main one."""
    top = _top(document)
    when, priority, beside = "when" in top, "priority" in top, top.get("beside") is True
    if not NAME.fullmatch(name):
        yield document.fault(f"{name!r} is no name for a definition: small letters, digits, - and _, at most 50")
    elif name == MAIN:
        yield document.fault("main is the definition in health.yaml; give this file another name")
    if when and beside:
        yield document.fault(
            "is for a definition in the main one's place, and this one stands beside it", key=("when",)
        )
    elif not when and not beside:
        message = "must say `beside: true`, or `when` it takes the main definition's place, with a `priority`"
        yield document.fault(message)
    if when and not priority:
        yield document.fault(
            "needs a priority: where several definitions choose a customer, the highest wins", key=("when",)
        )
    if priority and not when:
        yield document.fault("is for a definition that says `when` it applies", key=("priority",))
    yield from (document.fault("is said in health.yaml alone", key=(key,)) for key in MAIN_ONLY if key in top)


def _equals(others: Mapping[str, Document]) -> Iterator[Fault]:
    """Variants of the same priority."""
    first: dict[int, Document] = {}
    for _, document in sorted(others.items()):
        priority = _top(document).get("priority")
        if not isinstance(priority, int) or isinstance(priority, bool):
            continue
        if priority in first:
            message = f"{first[priority].name} has priority {priority} too, and which one wins must be clear"
            yield document.fault(message, key=("priority",))
        first.setdefault(priority, document)
