"""Prefect 3 by its REST API: a message starts a flow run of a deployment.

    payload   {"deployment": its id, or flow/deployment, "parameters": what the run is given}
    address   the name of a service in the settings; its address and key stand in no ledger

Prefect keeps our key beside the run (`idempotency_key`) and answers a second start with the run that is there: 201 for a new
one, 200 for that. The receipt says that the run was scheduled; `look` says how it stands.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Standing, Uncertain
from hub.delivery.reach import Lookup, Network, look_up
from hub.delivery.started import MANNERS, TIMEOUT_SECONDS, Calls, content_of, refused, standing

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
GOOD, BAD = "completed", frozenset({"failed", "crashed", "cancelled"})
"""Types of the state of a run that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectService:
    """Where a Prefect API is (with its /api, and of the cloud its account and workspace).

    key   of the cloud, sent as a bearer token; `auth`: user:password of a server of one's own; neither where it asks for none
    """

    url: str
    key: str | None = field(default=None, repr=False)
    auth: str | None = field(default=None, repr=False)

    @property
    def authorization(self) -> str | None:
        if self.key is not None:
            return f"Bearer {self.key}"
        return None if self.auth is None else f"Basic {base64.b64encode(self.auth.encode()).decode()}"


class PrefectChannel:
    """Starts runs at `services`, {name: PrefectService}. `allowed`: private networks they may be in."""

    name = "prefect"

    def __init__(
        self,
        services: Mapping[str, PrefectService],
        *,
        allowed: Sequence[Network] = (),
        lookup: Lookup = look_up,
        timeout_seconds: float = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        self._services = dict(services)
        self._calls = {
            name: Calls(
                each.url,
                to=f"Prefect {name}",
                setting="prefect.allow",
                allowed=allowed,
                lookup=lookup,
                timeout_seconds=timeout_seconds,
            )
            for name, each in services.items()
        }

    def __repr__(self) -> str:
        return f"PrefectChannel({', '.join(sorted(self._services))})"

    @property
    def places(self) -> frozenset[str]:
        """The names a playbook may say."""
        return frozenset(self._services)

    async def send(self, message: Message) -> Receipt:
        name = message.address
        if name not in self._services:
            there = ", ".join(sorted(self._services)) or "none"
            raise Rejected(f"no Prefect {name!r} is set up; there are: {there}", kind=Refusal.PERMANENT)
        deployment = str(message.payload["deployment"])
        id_ = deployment if _ID.fullmatch(deployment) else await self._look_up(name, deployment)
        start = {
            "parameters": dict(message.payload.get("parameters") or {}),
            "idempotency_key": message.dedup_key,
            "tags": ["cshub"],
        }
        answer = await self._calls[name].call(
            "POST", f"/deployments/{id_}/create_flow_run", start, authorization=self._services[name].authorization
        )
        if not answer.taken:
            raise refused(answer, self._calls[name].to, what=f"the deployment {deployment!r}")
        run = content_of(answer)
        return {
            "deployment": deployment,
            "flow_run_id": run.get("id"),
            "name": run.get("name"),
            "status": answer.status,
        }

    async def look(self, address: str, receipt: Receipt) -> Standing:
        if address not in self._services:
            raise Rejected(f"no Prefect {address!r} is set up", kind=Refusal.PERMANENT)
        run, calls = receipt.get("flow_run_id"), self._calls[address]
        if not isinstance(run, str) or not _ID.fullmatch(run):
            raise Rejected(f"{calls.to} did not say the id of the run", kind=Refusal.PERMANENT)
        answer = await calls.look(f"/flow_runs/{run}", authorization=self._services[address].authorization)
        state = content_of(answer).get("state")
        kind = state.get("type") if isinstance(state, Mapping) else None
        return standing(answer, calls.to, state=kind, good=GOOD, bad=BAD)

    async def _look_up(self, name: str, deployment: str) -> str:
        """The id of flow/deployment; each time, for a deployment that is made anew has another."""
        flow, _, own = deployment.partition("/")
        path = f"/deployments/name/{quote(flow, safe='')}/{quote(own, safe='')}"
        to = self._calls[name].to
        try:
            answer = await self._calls[name].call("GET", path, authorization=self._services[name].authorization)
        except Uncertain as error:  # of a look it does not matter
            raise Rejected(error.reason, kind=Refusal.TRANSIENT) from None
        if not answer.taken:
            failure = refused(answer, to, what=f"the deployment {deployment!r}")
            if isinstance(failure, Uncertain):
                raise Rejected(f"{to} failed with {answer.status}", kind=Refusal.TRANSIENT)
            raise failure
        id_ = content_of(answer).get("id")
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            raise Rejected(f"{to} does not say the id of the deployment {deployment!r}", kind=Refusal.TRANSIENT)
        return id_
