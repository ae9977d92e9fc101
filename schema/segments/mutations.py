"""Save, change and delete segments."""

from collections.abc import Mapping
from typing import Any

import strawberry

from hub.model.conditions import ConditionError
from hub.segments import SavedSegment, Wanted
from schema.enums import Role
from schema.errors import BadInputError, MutationError
from schema.filters import CustomerFilter, condition_of, mapping_of
from schema.loaders import ApiInfo
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.segments.types import Segment, editor_of, shown_segments


@strawberry.input(description="Save a condition under a name.")
class SegmentCreateInput:
    name: str = strawberry.field(description="Small letters, digits, - and _, at most 60, such as big-and-unhappy.")
    filter: CustomerFilter  # type: ignore[valid-type]  # made of the catalogue
    description: str | None = None
    shared: bool = strawberry.field(default=False, description="For everybody to see and use.")
    idempotency_key: str | None = None


@strawberry.input(description="Change a segment; what is not given stays.")
class SegmentUpdateInput:
    id: strawberry.ID
    name: str | None = None
    filter: CustomerFilter | None = None  # type: ignore[valid-type]  # made of the catalogue
    description: str | None = strawberry.field(default=None, description="An empty one takes it away.")
    shared: bool | None = None
    idempotency_key: str | None = None


@strawberry.input
class SegmentDeleteInput:
    id: strawberry.ID
    idempotency_key: str | None = None


@strawberry.type
class SegmentPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def segment(self, info: ApiInfo) -> Segment | None:
        """The segment as it is now; null where nothing was saved."""
        if (id_ := self.outcome.result.get("segment_id")) is None:
            return None
        found = await info.context.actions.segments(editor_of(info.context.viewer))
        chosen = [each for each in found if each.id == id_]
        shown: list[Segment] = await shown_segments(info, chosen, among=found)
        return shown[0] if shown else None

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class SegmentCreatePayload(SegmentPayload):
    pass


@strawberry.type
class SegmentUpdatePayload(SegmentPayload):
    pass


@strawberry.type
class SegmentDeletePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def deleted_id(self) -> strawberry.ID | None:
        """Of the segment that is no more; null where it still is."""
        id_ = self.outcome.result.get("segment_id")
        return None if id_ is None else strawberry.ID(id_)

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class SegmentMutations:
    @root(Role.CSM, description="Save a segment.")
    async def segment_create(self, info: ApiInfo, input: SegmentCreateInput) -> SegmentCreatePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await _told(context.actions.create_segment(editor_of(context.viewer), wanted, now=context.now))
            return {"segment_id": made.id}

        with Outcome.collecting() as outcome:
            wanted = Wanted(
                name=input.name, filter=_said(input.filter), description=input.description, shared=input.shared
            )
            await perform(
                outcome,
                info,
                "segmentCreate",
                subject=input.name,
                request=_request(wanted),
                run=run,
                key=input.idempotency_key,
            )
        return SegmentCreatePayload(outcome=outcome)

    @root(Role.CSM, description="Change a segment of your own; managers and admins change shared ones, too.")
    async def segment_update(self, info: ApiInfo, input: SegmentUpdateInput) -> SegmentUpdatePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            editor = editor_of(context.viewer)
            made = await _told(context.actions.update_segment(editor, input.id, wanted, now=context.now))
            return {"segment_id": made.id}

        with Outcome.collecting(of="id") as outcome:
            wanted = Wanted(
                name=input.name,
                filter=None if input.filter is None else _said(input.filter),
                description=input.description,
                shared=input.shared,
            )
            await perform(
                outcome,
                info,
                "segmentUpdate",
                subject=input.id,
                request={"id": input.id, **_request(wanted)},
                run=run,
                key=input.idempotency_key,
            )
        return SegmentUpdatePayload(outcome=outcome)

    @root(Role.CSM, description="Delete a segment that no playbook and no other segment uses.")
    async def segment_delete(self, info: ApiInfo, input: SegmentDeleteInput) -> SegmentDeletePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            gone = await context.actions.delete_segment(editor_of(context.viewer), input.id)
            return {"segment_id": gone.id}

        with Outcome.collecting(of="id") as outcome:
            await perform(
                outcome,
                info,
                "segmentDelete",
                subject=input.id,
                request={"id": input.id},
                run=run,
                key=input.idempotency_key,
            )
        return SegmentDeletePayload(outcome=outcome)


def _said(given: Any) -> Mapping[str, Any]:
    """A filter as the mapping that is kept; BadInputError where it is no condition."""
    condition_of(given)
    said: Mapping[str, Any] = mapping_of(given)
    return said


async def _told(saving: Any) -> SavedSegment:
    try:
        saved: SavedSegment = await saving
    except ConditionError as error:
        raise BadInputError(str(error), field="filter") from None
    return saved


def _request(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "filter": wanted.filter,
        "description": wanted.description,
        "shared": wanted.shared,
    }
