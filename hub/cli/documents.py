"""`cshub documents`: the trusted documents of the API, which hub.yaml's `graphql.documents` names."""

import re
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import main
from hub.errors import ConfigError, Fault, RefusedError
from hub.settings import load
from schema.examining import Examined, examine
from schema.guard.trusted import Document, document_id

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@main.group()
def documents() -> None:
    """Trusted documents: operations of frontends, known beforehand and sent by their SHA-256."""


@documents.command("list")
@click.pass_obj
def documents_list(config: Path | None) -> None:
    """Show every document with its id, its operations, and what each may cost."""
    settings = load(config)
    found = [(each, examine(each.text)) for each in settings.documents]
    rows = [
        (
            each.id,
            each.name,
            ", ".join(_operations(examined, settings.hub.graphql.cost.query)) or "wrong: cshub documents check",
        )
        for each, examined in found
    ]
    show.table(None, ("id", "document", "operations"), rows)
    only = settings.hub.graphql.only_trusted
    if only:
        show.say("no others are answered" + ("" if only == "admins_too" else ", but to admins"))


@documents.command("check")
@click.pass_obj
def documents_check(config: Path | None) -> None:
    """Hold every document against the schema, and list what is wrong. Exit code 2 where anything is."""
    settings = load(config)
    limit = settings.hub.graphql.cost.query
    faults = [fault for each in settings.documents for fault in _faults(each, examine(each.text), limit)]
    if faults:
        raise ConfigError(faults)
    show.say(f"{len(settings.documents)} documents, nothing is wrong")


@documents.command("add")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def documents_add(config: Path | None, files: tuple[Path, ...]) -> None:
    """Copy FILES into the folder of documents, where nothing is wrong with them, and say their ids."""
    settings = load(config)
    at = settings.hub.graphql.documents
    folder = settings.folder / at if at is not None else None
    if folder is None or not folder.is_dir():
        raise RefusedError("hub.yaml's graphql.documents must name a folder to add documents to")
    given = [Document(each.stem, each.read_text(encoding="utf-8").strip(), each) for each in files]
    limit = settings.hub.graphql.cost.query
    faults = [fault for each in given for fault in _faults(each, examine(each.text), limit)]
    faults += [
        Fault("is no name for a document", where=str(each.where)) for each in given if not _NAME.match(each.name)
    ]
    if faults:
        raise ConfigError(faults)
    for each in given:
        place = folder / f"{each.name}.graphql"
        if place.exists() and document_id(place.read_text(encoding="utf-8").strip()) != each.id:
            raise RefusedError(f"{place} is there already with another text: clients that know it would be refused")
        place.write_text(f"{each.text}\n", encoding="utf-8")
        show.say(f"{each.id}  {each.name}")


def _operations(examined: Examined, limit: int) -> list[str]:
    return [
        f"{each.kind} {each.name or '(no name)'}, up to {each.cost:,} points"
        + (f" ({limit:,} at once: with smaller pages)" if each.cost > limit else "")
        for each in examined.operations
    ]


def _faults(document: Document, examined: Examined, limit: int) -> list[Fault]:
    where = f"{document.where} ({document.name})" if document.where.suffix == ".json" else str(document.where)
    costly = [each for each in examined.operations if each.least > limit]
    return [
        *(Fault(error, where=where) for error in examined.errors),
        *(Fault(f"costs {each.least:,} points or more; the limit is {limit:,}", where=where) for each in costly),
    ]
