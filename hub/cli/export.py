"""`cshub export`: rows for spreadsheets and BI tools, in a file."""

import json
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.documents import Document
from hub.errors import RefusedError
from hub.export import FORMATS, Asked, Planned, encoded, plan
from hub.store import Store
from hub.store.bi import VIEWS


@main.command()
@click.argument("view", required=False)
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), help="Default: by the ending of --out, else csv."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: standard output.")
@click.option("--columns", help="Which of them, with commas between. Default: all.")
@click.option("--where", help="Only of customers who meet a condition, such as '{band: {eq: critical}}'; YAML or JSON.")
@click.option("--no-personal", is_flag=True, help="Leave out columns of personal data.")
@click.option("--by", default="command line", show_default=True, help="For the audit log.")
@click.pass_obj
@asynchronous
async def export(
    config: Path | None,
    view: str | None,
    format_: str | None,
    out: Path | None,
    columns: str | None,
    where: str | None,
    no_personal: bool,
    by: str,
) -> None:
    """Write the rows of VIEW to a file; without VIEW, list what there is.

    The same rows stand behind GET /export/VIEW.csv for tools that speak HTTP, and in the views bi_VIEW of the database, without
    personal data, for tools that speak SQL: docs/bi.md.

    \b
    cshub export customers --out customers.parquet
    cshub export scores --where '{csm_email: {eq: ann@example.com}}' --format jsonl
    """
    if view is None:
        show.table(
            None,
            ("view", "rows", "columns"),
            [(each.name, each.about, ", ".join(column.name for column in each.columns)) for each in VIEWS.values()],
        )
        return
    given = format_ or (out.suffix.removeprefix(".") if out else "csv")
    asked = Asked(
        view=view,
        columns=None if columns is None else [name.strip() for name in columns.split(",") if name.strip()],
        where=None if where is None else _condition(where),
        personal=not no_personal,
    )
    now = utc_now()
    async with opened(config) as store:
        planned = await plan(store, asked, today=now.date())
        request: dict[str, Any] = {"view": view, "format": given, "columns": [each.name for each in planned.columns]}
        rows = await audited(
            store,
            "export",
            by=by,
            subject=view,
            request={**request, "where": asked.where},
            now=now,
            run=lambda: _write(store, planned, given, out),
        )
    if out is not None:
        show.say(f"{rows:,} rows in {out}")


async def _write(store: Store, planned: Planned, format_: str, out: Path | None) -> int:
    """How many rows were written; the file appears when it is whole."""
    count = 0

    async def counted() -> Any:
        nonlocal count
        async for page in planned.pages(store):
            count += len(page)
            yield page

    pieces = encoded(format_, planned.columns, counted())
    if out is None:
        async for piece in pieces:
            click.echo(piece, nl=False)
        return count
    partly = out.with_name(out.name + ".part")
    try:
        with show.step(f"exporting {planned.view.name}"), partly.open("wb") as file:
            async for piece in pieces:
                file.write(piece)
        partly.replace(out)
    except OSError as error:
        raise RefusedError(f"{out} cannot be written: {error.strerror}") from None
    finally:
        partly.unlink(missing_ok=True)
    return count


def _condition(text: str) -> dict[str, Any]:
    value = Document.from_text(text, name="--where").value
    if not isinstance(value, dict):
        raise RefusedError(f"--where is a mapping such as {json.dumps({'band': {'eq': 'critical'}})}")
    return value
