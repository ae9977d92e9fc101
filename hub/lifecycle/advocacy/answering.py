"""What a contact answers to its invitation: once, and for a while a comment to it.

An answer counts at once: in one transaction it is written into the invitation, becomes a survey response of the source `cshub`
like those of any survey tool, and moves the customer's standing. Of two at the same moment one is taken, and the other sees it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import NotFoundError, RefusedError
from hub.lifecycle.advocacy.keeping import keep_of
from hub.lifecycle.advocacy.settings import AdvocacySettings
from hub.store import Store, advocacy
from hub.store.advocacy import Invitation

LONGEST_COMMENT = 4_000


@dataclass(frozen=True, slots=True)
class Asked:
    """An invitation as its contact finds it.

    open       it takes an answer; commentable: it is answered, and takes a comment still
    just_now   what was sent with this request was taken
    """

    invitation: Invitation
    open: bool
    commentable: bool
    just_now: bool = False


async def look(store: Store, settings: AdvocacySettings, id_: str, *, now: datetime) -> Asked:
    """Change nothing; NotFoundError where the invitation is no more."""
    async with store.reading() as connection:
        found = await advocacy.find_invitation(connection, id_)
    return _asked(_there(found), settings, now=now)


async def answer(
    store: Store, settings: AdvocacySettings, id_: str, *, score: int, comment: str | None, now: datetime
) -> Asked:
    """Take the first answer; where there is one already it stays as it is, and is returned. RefusedError for no such score."""
    if not 0 <= score <= 10:
        raise RefusedError(f"{score} is no answer: choose 0 to 10")
    async with store.transaction() as connection:
        taken = await advocacy.take_answer(connection, id_, score=score, comment=_clean(comment), now=now)
        if taken is None:
            return _asked(_there(await advocacy.find_invitation(connection, id_)), settings, now=now)
        await advocacy.record_answer(connection, taken, now=now)
        if settings.enabled:
            await keep_of(connection, settings, now=now, customer_ids=[taken.customer_id])
        return _asked(taken, settings, now=now, just_now=True)


async def comment(store: Store, settings: AdvocacySettings, id_: str, *, text: str, now: datetime) -> Asked:
    """Put a comment to the answer, in place of one that is there, within `comment_hours`; later nothing changes."""
    since = now - timedelta(hours=settings.survey.comment_hours)
    async with store.transaction() as connection:
        taken = await advocacy.take_comment(connection, id_, comment=_clean(text), answered_since=since)
        if taken is None:
            return _asked(_there(await advocacy.find_invitation(connection, id_)), settings, now=now)
        await advocacy.record_answer(connection, taken, now=now)
        return _asked(taken, settings, now=now, just_now=True)


def link_good_until(invitation: Invitation, settings: AdvocacySettings) -> datetime:
    """For how long its link opens: who answered in the last minute may add a comment still."""
    return invitation.expires_at + timedelta(hours=settings.survey.comment_hours)


def _there(found: Invitation | None) -> Invitation:
    if found is None:
        raise NotFoundError("this question is not there any more")
    return found


def _asked(invitation: Invitation, settings: AdvocacySettings, *, now: datetime, just_now: bool = False) -> Asked:
    answered = invitation.answered_at
    until = None if answered is None else answered + timedelta(hours=settings.survey.comment_hours)
    return Asked(
        invitation,
        open=answered is None and invitation.expires_at > now,
        commentable=until is not None and now <= until,
        just_now=just_now,
    )


def _clean(text: str | None) -> str | None:
    """Without what databases and pages cannot take; None for nothing."""
    kept = "".join(letter for letter in (text or "").replace("\r\n", "\n") if letter.isprintable() or letter in "\n\t")
    return kept.strip()[:LONGEST_COMMENT] or None
