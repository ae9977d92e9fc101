"""Advocacy wired: kept after every scoring; the quarterly survey sent on its schedule and by hand, and its answers taken."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hub.compose.jobs import ask_for_score
from hub.compose.mail import mailing_of
from hub.delivery import Rendered, unready
from hub.durable import Argument
from hub.errors import RefusedError
from hub.lifecycle import advocacy
from hub.lifecycle.advocacy import SCHEDULE, Asked, Invited, keep_advocacy, link_good_until
from hub.lifecycle.advocacy.choosing import Candidate
from hub.playbooks.jobs import SEND
from hub.store.advocacy import Invitation
from hub.web import survey as page
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub

log = logging.getLogger(__name__)

SURVEY = "survey"
TEMPLATE = "survey_nps"


async def keep(hub: "Hub", now: datetime) -> None:
    """An area of the lifecycle; see hub.compose.lifecycle."""
    await keep_advocacy(hub.store, hub.settings.lifecycle.advocacy, now=now)


def register(hub: "Hub") -> None:
    """Tell the durable engine when to ask. Before it starts."""
    survey = hub.settings.lifecycle.advocacy.survey

    async def ask(_: Argument) -> None:
        desk = SurveyDesk(hub)
        if (missing := desk.missing()) is not None:
            log.info("nobody is asked: %s", missing)
            return
        try:
            invited = await desk.send()
        except RefusedError as error:
            log.warning("nobody is asked: %s", error)
            return
        log.info("asked %d contacts, left out %d", len(invited.invitations), len(invited.left_out))

    hub.durable.register(SURVEY, ask)
    if survey.enabled:
        hub.durable.every(SURVEY, survey.schedule, SURVEY, {}, timezone=hub.settings.hub.timezone)


class SurveyDesk:
    """What is done about surveys. What people answer is looked at by playbooks at once; that needs the engine started."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._settings = hub.settings.lifecycle.advocacy

    @property
    def question(self) -> str:
        return self._settings.survey.question.replace("{company}", self._hub.settings.hub.company or "us")

    def missing(self) -> str | None:
        """Why no survey can be sent as things are set up."""
        if not self._settings.survey.enabled:
            return "surveys are off: lifecycle.yaml says advocacy: survey: enabled: false"
        channels = self._hub.playbooks.planner.channels
        return None if channels is None else unready(channels, "email", "")

    async def send(
        self,
        *,
        by: str = SCHEDULE,
        customer_ids: Sequence[str] | None = None,
        force: bool = False,
        dry_run: bool = False,
        wake: bool = True,
    ) -> Invited:
        """Ask whose turn it is, or the contacts of some customers; RefusedError where no survey can be sent.

        wake   send at once; needs the engine started. Without it whoever serves does within a minute
        """
        if not dry_run and (missing := self.missing()) is not None:
            raise RefusedError(missing)
        now = self._hub.clock()
        invited = await advocacy.invite(
            self._hub.store,
            self._settings,
            settle=partial(mailing_of(self._hub.settings).settle, now=now),
            write=self._write,
            now=now,
            by=by,
            customer_ids=customer_ids,
            force=force,
            dry_run=dry_run,
        )
        if invited.invitations and wake and not dry_run:
            await self._hub.durable.enqueue(SEND, {})
        return invited

    async def look(self, id_: str) -> Asked:
        return await advocacy.look(self._hub.store, self._settings, id_, now=self._hub.clock())

    async def answer(self, id_: str, *, score: int, comment: str | None) -> Asked:
        """Take an answer: its customer is scored within half a minute, and what its standing sets off happens now."""
        now = self._hub.clock()
        asked = await advocacy.answer(self._hub.store, self._settings, id_, score=score, comment=comment, now=now)
        if asked.just_now:
            customer_id = asked.invitation.customer_id
            await self._hub.playbooks.fire_changes(now=now, field="advocacy", customer_id=customer_id)
            await ask_for_score(self._hub, now=now)
        return asked

    async def comment(self, id_: str, *, text: str) -> Asked:
        return await advocacy.comment(self._hub.store, self._settings, id_, text=text, now=self._hub.clock())

    def _write(self, candidate: Candidate, invitation: Invitation) -> Rendered:
        settings = self._hub.settings.hub
        until = invitation.expires_at

        def link(score: int | None = None) -> str:
            good_until = link_good_until(invitation, self._settings)
            path = page.path_of(self._hub.links, invitation.id, good_until=good_until, score=score)
            return settings.url.rstrip("/") + path

        words = {
            "company": settings.company,
            "customer": {
                "id": candidate.id,
                "name": candidate.name,
                "csm_name": candidate.csm_name,
                "csm_email": candidate.csm_email,
            },
            "name": " ".join((invitation.name or "").split()),
            "question": self.question,
            "scores": [{"score": score, "link": link(score)} for score in page.SCORES],
            "link": link(),
            "until": f"{until.day} {until:%B %Y}",
        }
        return self._hub.playbooks.planner.renderer.email(TEMPLATE, words, audience="customer")


def survey_routes(hub: "Hub") -> Routes:
    """The page on which people answer; there even while surveys are off, for those who were asked before."""
    desk = SurveyDesk(hub)
    return page.routes(hub.links, desk, company=hub.settings.hub.company, question=desk.question, clock=hub.clock)


class SurveyActions:
    """The part of `schema.context.Actions` that is about surveys; the caller has checked who may."""

    _hub: "Hub"

    async def send_survey(self, customer_ids: Sequence[str], *, by: str, force: bool, dry_run: bool) -> Invited:
        return await SurveyDesk(self._hub).send(by=by, customer_ids=customer_ids, force=force, dry_run=dry_run)
