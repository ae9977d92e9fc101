"""Runs in flight go over to a new version of their playbook, where its file says `replaces: running`.

Without it they finish on the version they began with. With it, a run goes over when the new version has the same kind of step
at the very place where the run stands, and has not switched it off or on meanwhile; what is behind it stays done and is not
done again. A run that stands where the new version has something else keeps its own version, so that no upgrade leaves a run
without a next step.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from hub.playbooks.rows import definition_row
from hub.playbooks.spec import Playbook, from_definition
from hub.store import Store, runs

log = logging.getLogger(__name__)


async def take_over(store: Store, playbooks: Iterable[Playbook], *, now: datetime) -> int:
    """Move open runs of older versions over; return how many."""
    moved = 0
    for playbook in playbooks:
        if not playbook.replaces:
            continue
        async with store.transaction() as connection:
            older = await runs.find_versions(connection, playbook=playbook.name, but=playbook.hash)
            for version in older:
                places = [
                    place for place in version.places if _fits(from_definition(version.definition), playbook, place)
                ]
                if places:
                    moved += await runs.change_version(
                        connection,
                        playbook=playbook.name,
                        old=version.hash,
                        places=places,
                        new=definition_row(playbook, now=now),
                    )
                if left := len(version.places) - len(places):
                    log.info("runs of %s at %d places keep version %d", playbook.name, left, version.version)
    return moved


def _fits(old: Playbook, new: Playbook, place: int) -> bool:
    if place >= min(len(old.steps), len(new.steps)):
        return False
    before, after = old.steps[place], new.steps[place]
    return (before.action, before.path, before.off) == (after.action, after.path, after.off)
