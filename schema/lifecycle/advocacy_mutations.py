"""Ask the contacts of some customers by hand."""

from collections.abc import Mapping
from typing import Any

import strawberry

from hub.lifecycle.advocacy import Invited
from schema.enums import Role
from schema.errors import MutationError
from schema.fields import computed, key
from schema.lifecycle.advocacy import SurveyInvitation
from schema.loaders import ApiInfo, load_by_id
from schema.nodes import global_id, keys_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root

MOST_ASKED = 100


@strawberry.input(
    description="Ask contacts of customers now, whether it is their turn or not. Nobody who rests is ever asked."
)
class SurveyInvitationSendInput:
    customer_ids: list[strawberry.ID]
    dry_run: bool = strawberry.field(default=False, description="Show who would be asked, and do nothing.")
    force: bool = strawberry.field(
        default=False, description="Even in their first days, in an onboarding, or with an urgent ticket open."
    )
    idempotency_key: str | None = None


@strawberry.type(description="A mail as it would be sent, but for its links.")
class SurveyPreview:
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row["customer_id"]))
    address: str = key(personal=True)
    subject: str = key(personal=True)


@strawberry.type(description="A customer that is not asked, or one of its contacts, and why.")
class SurveyLeftOut:
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row["customer_id"]))
    address: str | None = key(personal=True, description="Of the contact; null where it is about the whole customer.")
    reason: str = key()


@strawberry.type
class SurveyInvitationSendPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def invitations(self, info: ApiInfo) -> list[SurveyInvitation]:
        """Who was asked; of a dry run nobody."""
        found: list[SurveyInvitation] = await load_by_id(
            info, "survey_invitation", self.outcome.result.get("invitations", [])
        )
        return found

    @answering
    def previews(self) -> list[SurveyPreview]:
        """Who would be asked; of a dry run."""
        found: list[Any] = self.outcome.result.get("previews", [])
        return found

    @answering
    def left_out(self) -> list[SurveyLeftOut]:
        """Who is not asked, and why."""
        found: list[Any] = self.outcome.result.get("left_out", [])
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class SurveyMutations:
    @root(
        Role.CSM,
        description="Ask contacts of some customers how likely they would recommend us, or show who would be asked.",
    )
    async def survey_invitation_send(
        self,
        info: ApiInfo,
        input: SurveyInvitationSendInput,  # noqa: A002 - the API's word
    ) -> SurveyInvitationSendPayload:
        context = info.context

        async def run() -> Mapping[str, Any]:
            by = context.viewer.actor
            return _stored(
                await context.actions.send_survey(keys, by=by, force=input.force, dry_run=input.dry_run),
                dry_run=input.dry_run,
            )

        with Outcome.collecting(of="customerIds") as outcome:
            keys = keys_of(input.customer_ids, "customer", field="customerIds", most=MOST_ASKED)
            request = {"customers": list(keys), "dry_run": input.dry_run, "force": input.force}
            await perform(
                outcome,
                info,
                "surveyInvitationSend",
                subject=keys[0] if len(keys) == 1 else f"{len(keys)} customers",
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"customer": keys},
            )
        return SurveyInvitationSendPayload(outcome=outcome)


def _stored(invited: Invited, *, dry_run: bool) -> Mapping[str, Any]:
    """As it is kept for the same idempotency key: without the links, which are their contacts' own."""
    previews = [
        {"customer_id": each.customer_id, "address": each.address, "subject": invited.mails[each.id].subject}
        for each in invited.invitations
    ]
    return {
        "invitations": [] if dry_run else [each.id for each in invited.invitations],
        "previews": previews if dry_run else [],
        "left_out": [
            {"customer_id": each.customer_id, "address": each.address, "reason": each.reason}
            for each in invited.left_out
        ],
    }
