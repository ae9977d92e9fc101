"""Export or erase a person or a customer: for admins, noted in the audit log without saying who it was."""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

import orjson
import strawberry
from strawberry.scalars import JSON

from hub.access.privacy.asking import About, hidden
from hub.access.privacy.erasing import erase, plan_erasure
from hub.access.privacy.exporting import Exported, export
from hub.errors import RefusedError
from hub.model.actions import Scope
from schema.enums import Role
from schema.errors import ForbiddenError, MutationError
from schema.loaders import ApiInfo
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.personal import PERSONAL

_WHO = (
    "All names of one person: an e-mail address, SOURCE:KEY of a contact or of a user of the product. "
    "From an address the contacts of all sources follow."
)

MOST_BYTES = 8_000_000
"""Of a document in an answer, which stands in memory several times; the command line writes one of any size."""

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def _personal(resolver: Resolver) -> Resolver:
    """Decorator of a payload's resolver that shows personal data."""
    made = strawberry.field(resolver, description=resolver.__doc__, directives=[PERSONAL])
    return cast("Resolver", made)


@strawberry.input(description="Everything the hub has of a person.")
class PersonExportInput:
    person: list[str] = strawberry.field(description=_WHO, directives=[PERSONAL])


@strawberry.input(description="Everything the hub has of a customer, and of everybody there.")
class CustomerExportInput:
    customer_id: strawberry.ID


@strawberry.input(description="Erase a person from every table, for good.")
class PersonEraseInput:
    person: list[str] = strawberry.field(description=_WHO, directives=[PERSONAL])
    idempotency_key: str = strawberry.field(description="The same key is carried out once.")
    dry_run: bool = strawberry.field(default=False, description="Count what would go; change nothing.")


@strawberry.input(description="Erase a customer, and everybody there, from every table, for good.")
class CustomerEraseInput:
    customer_id: strawberry.ID
    idempotency_key: str = strawberry.field(description="The same key is carried out once.")
    dry_run: bool = strawberry.field(default=False, description="Count what would go; change nothing.")


@strawberry.type(description="Rows of a table that were exported or erased, or would be.")
class PrivacyCount:
    table: str
    rows: int


@strawberry.type
class PersonExportPayload:
    outcome: strawberry.Private[Outcome]
    document: strawberry.Private[Any] = None

    @_personal
    def export(self) -> JSON | None:
        """The document of cshub.export/1."""
        return cast("JSON | None", self.document)

    @answering
    def counts(self) -> list[PrivacyCount]:
        """Rows by table."""
        return [PrivacyCount(table=name, rows=rows) for name, rows in self.outcome.result.get("counts", {}).items()]

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerExportPayload(PersonExportPayload):
    pass


@strawberry.type(description="The report of an erasure; it names nobody.")
class ErasePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def erasure_id(self) -> str | None:
        """Of the report that is kept; null of a dry run."""
        found = self.outcome.result.get("id")
        return None if found is None else str(found)

    @answering
    def counts(self) -> list[PrivacyCount]:
        """Rows by table that were changed or deleted; of a dry run those that would be looked at."""
        return [PrivacyCount(table=name, rows=rows) for name, rows in self.outcome.result.get("counts", {}).items()]

    @answering
    def left(self) -> list[str]:
        """What could not be erased, and why."""
        return list(self.outcome.result.get("left", []))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class PrivacyMutations:
    @root(Role.ADMIN, whole=True, description="Everything about a person as one document. Needs the scope export.")
    async def person_export(self, info: ApiInfo, input: PersonExportInput) -> PersonExportPayload:  # noqa: A002 - the API's word
        _may_export(info, "personExport")
        document = None
        with Outcome.collecting() as outcome:
            how = "`cshub export-person WHO --output FILE` writes it whole"
            document = await _export(outcome, info, "personExport", About(person=tuple(input.person)), how=how)
        return PersonExportPayload(outcome=outcome, document=document)

    @root(
        Role.ADMIN,
        whole=True,
        description="Everything about a customer and everybody there as one document. Needs the scope export.",
    )
    async def customer_export(self, info: ApiInfo, input: CustomerExportInput) -> CustomerExportPayload:  # noqa: A002 - the API's word
        _may_export(info, "customerExport")
        document = None
        with Outcome.collecting(of="customerId") as outcome:
            id_ = key_of(str(input.customer_id), "customer", field="customerId")
            how = "`cshub export-person --customer ID --output FILE` writes it whole"  # the audit log has it: no name
            document = await _export(outcome, info, "customerExport", About(customer=id_), how=how)
        return CustomerExportPayload(outcome=outcome, document=document)

    @root(
        Role.ADMIN, whole=True, description="Erase a person from every table, and keep syncs from bringing them back."
    )
    async def person_erase(self, info: ApiInfo, input: PersonEraseInput) -> ErasePayload:  # noqa: A002 - the API's word
        with Outcome.collecting() as outcome:
            about = About(person=tuple(input.person))
            await _erase(outcome, info, "personErase", about, key=input.idempotency_key, dry_run=input.dry_run)
        return ErasePayload(outcome=outcome)

    @root(Role.ADMIN, whole=True, description="Erase a customer and everybody there. What it paid goes on to count.")
    async def customer_erase(self, info: ApiInfo, input: CustomerEraseInput) -> ErasePayload:  # noqa: A002 - the API's word
        with Outcome.collecting(of="customerId") as outcome:
            about = About(customer=key_of(str(input.customer_id), "customer", field="customerId"))
            await _erase(outcome, info, "customerErase", about, key=input.idempotency_key, dry_run=input.dry_run)
        return ErasePayload(outcome=outcome)


def _may_export(info: ApiInfo, action: str) -> None:
    if Scope.EXPORT not in info.context.viewer.scopes:
        raise ForbiddenError(f"{action} needs the scope export, which this token lacks")


async def _export(outcome: Outcome, info: ApiInfo, action: str, about: About, *, how: str) -> Any:
    """The document, or None with the outcome's errors; `how`: how to get one that is too large for an answer."""
    context = info.context
    told, pieces = list[Exported](), list[bytes]()

    async def run() -> Mapping[str, Any]:
        size = 0
        async with aclosing(export(context.store, about, now=context.now, told=told)) as written:
            async for piece in written:
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise RefusedError(f"the document is larger than {MOST_BYTES / 1e6:g} MB: {how}")
        return {"counts": {each.table: each.rows for each in told}}

    subject = await hidden(context.store, about, now=context.now)
    await perform(outcome, info, action, subject=subject, request={}, run=run)
    return orjson.loads(b"".join(pieces)) if outcome.result else None


async def _erase(outcome: Outcome, info: ApiInfo, action: str, about: About, *, key: str, dry_run: bool) -> None:
    context = info.context

    async def run() -> Mapping[str, Any]:
        if dry_run:
            plan = await plan_erasure(context.store, about)
            names = dict.fromkeys([*plan.own, *plan.mentions])
            counts = {name: plan.own.get(name, 0) + plan.mentions.get(name, 0) for name in names}
            return {"counts": counts, "left": list(plan.left)}
        done = await erase(context.store, about, by=context.viewer.actor, now=context.now)
        return {"id": done.id, "counts": dict(done.counts), "left": list(done.left)}

    subject = await hidden(context.store, about, now=context.now)
    request = {"dryRun": dry_run, "subject": subject}
    await perform(outcome, info, action, subject=subject, request=request, run=run, key=key)
