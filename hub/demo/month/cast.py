"""The people of a played month: CSMs who press buttons in Slack, and contacts who answer, opt out, or whose mailbox is gone.

What somebody does about a message, and how long that takes, is drawn from the seed and the message's own key: it is the same
in every run, whatever else goes on, and however often the demo is killed and started again.
"""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode, urlsplit

from hub.delivery.webhook import signed
from hub.demo.month.calls import Caller
from hub.demo.outbox import Arrival, Came, Outbox
from hub.demo.pressing import elements
from hub.demo.workspace import user_id

Owner = Callable[[str], Awaitable[str | None]]
"""(a run) -> the address of whose business it is."""
QUICKEST, SLOWEST = timedelta(minutes=20), timedelta(hours=40)
ANSWERS = ((0.55, "approve"), (0.8, "decline"))
"""What CSMs say to a question: up to this draw, this button; above the last of them nothing."""
PRESSES = ((0.5, "acknowledge"), (0.57, "snooze"), (0.63, "not_useful"), (0.68, "assign"))
ANSWER_A_SURVEY, OPT_OUT, GONE = 0.4, 0.02, 0.006
SCORES = ((0.06, 3), (0.1, 5), (0.18, 6), (0.3, 7), (0.5, 8), (0.78, 9), (1.0, 10))
_SURVEY = re.compile(r"(/survey/[A-Za-z0-9_.~-]+)/\d+")
_UNSUBSCRIBE = re.compile(r"<(https?://[^>]+/unsubscribe/[^>]+)>")


class Cast:
    """See the module. `sandbox` is where Slack is, `hub` where links and bounces of mail lead."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        seed: int,
        staff: Sequence[str],
        owner: Owner,
        sandbox: Caller,
        hub: Caller,
        bounce_secret: str,
    ) -> None:
        self._outbox, self._seed, self._staff = outbox, seed, sorted(staff)
        self._owner, self._sandbox, self._hub, self._secret = owner, sandbox, hub, bounce_secret
        self.did: Counter[str] = Counter()
        self.refused: list[str] = []

    async def act(self, *, since: datetime, until: datetime) -> int:
        """Do what people have come to do from `since` on and before `until`; how many things that was."""
        done = 0
        for came in self._outbox.arrived(since=since - SLOWEST, until=until):
            when = came.at + QUICKEST + (SLOWEST - QUICKEST) * self._draw(came, "when") ** 2
            if since <= when < until:
                arrival = self._outbox.numbered(came.number)
                assert arrival is not None, "the outbox only grows"
                done += await (self._read if arrival.kind == "email" else self._look)(arrival, until)
        return done

    async def _look(self, arrival: Arrival, now: datetime) -> bool:
        """A CSM at a message in Slack."""
        if arrival.kind != "slack":
            return False
        current = self._outbox.current(address=arrival.address, ts=str(arrival.body["ts"]))
        blocks = current.body.get("blocks") if current else None
        pressable = list(elements(blocks or []))
        there = {str(each.get("action_id")).removeprefix("cshub."): each for _, each in pressable}
        ways = ANSWERS if "approve" in there else PRESSES
        wanted = next((name for upto, name in ways if self._draw(arrival, "what") < upto), None)
        if wanted is None or wanted not in there:
            return False
        run_id = str(pressable[0][0].get("block_id", "")).partition(":")[2]
        owner = await self._owner(run_id)
        press: dict[str, Any] = {
            "user": user_id(owner) if owner else self._pick(self._staff, arrival, "who"),
            "action_id": there[wanted]["action_id"],
            "channel": arrival.address,
            "ts": arrival.body["ts"],
        }
        if there[wanted]["type"] == "users_select":
            press["value"] = self._pick(self._staff, arrival, "whom")
        elif "options" in there[wanted]:
            press["value"] = self._pick([each["value"] for each in there[wanted]["options"]], arrival, "option")
        status, body = await self._sandbox.post("/slack/press", press)
        heard = json.loads(body or b"{}").get("status")
        return self._note(f"pressed {wanted}", heard if status == 200 else status)

    async def _read(self, arrival: Arrival, now: datetime) -> bool:
        """A contact at a mail; those of our own people are read, no more."""
        headers = {name.lower(): str(value) for name, value in arrival.body.get("headers") or ()}
        opt_out = _UNSUBSCRIBE.search(headers.get("list-unsubscribe", ""))
        if opt_out is None:
            return False
        if self._number(f"gone:{arrival.address}") < GONE:
            return await self._bounce(arrival, now)
        if self._draw(arrival, "opt out") < OPT_OUT:
            body = urlencode({"List-Unsubscribe": "One-Click"}).encode()
            status, _ = await self._hub.post(urlsplit(opt_out[1]).path, body, headers=_FORM)
            return self._note("unsubscribed", status)
        survey = _SURVEY.search(str(arrival.body.get("text") or ""))
        if survey is None or self._draw(arrival, "answers") >= ANSWER_A_SURVEY:
            return False
        draw = self._draw(arrival, "score")
        form = {"what": "answer", "score": next(score for upto, score in SCORES if draw < upto)}
        status, _ = await self._hub.post(survey[1], urlencode(form).encode(), headers=_FORM)
        return self._note("answered a survey", status)

    async def _bounce(self, arrival: Arrival, now: datetime) -> bool:
        """The mail service tells that there is no such mailbox."""
        told = {"address": arrival.address, "kind": "hard", "status": "5.1.1", "reason": "550 no such mailbox"}
        told |= {"message_id": str(arrival.dedup or ""), "at": now.isoformat()}
        body = json.dumps({"type": "mail.bounced", "data": told}).encode()
        id_ = f"bounce_{arrival.number}"
        headers = signed([self._secret], id_=id_, at=now, body=body) | {"Content-Type": "application/json"}
        status, _ = await self._hub.post("/mail/bounces", body, headers=headers)
        return self._note("a mailbox was gone", status)

    def _note(self, what: str, status: int) -> bool:
        """Whether it was taken."""
        if status in (200, 303):
            self.did[what] += 1
            return True
        self.refused.append(f"{what}: answered with {status}")
        return False

    def _draw(self, arrival: Arrival | Came, about: str) -> float:
        return self._number(f"{arrival.kind}:{arrival.dedup}:{about}")

    def _pick(self, choices: Sequence[str], arrival: Arrival, about: str) -> str:
        return choices[int(self._draw(arrival, about) * len(choices))]

    def _number(self, about: str) -> float:
        """From 0 up to 1, the same for the same."""
        return int.from_bytes(blake2b(f"{self._seed}:{about}".encode(), digest_size=6).digest()) / 2**48


_FORM: Mapping[str, str] = {"Content-Type": "application/x-www-form-urlencoded"}
