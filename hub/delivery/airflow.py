"""Airflow 3 by its stable REST API: a message starts a run of a DAG.

    payload   {"dag": its id, "conf": what the run is given}
    address   the name of a service in the settings; its address and credentials stand in no ledger

The run's id is our key, so a start that had no answer is asked for again: 409 says that it is there, and that is a receipt.
Credentials are a token, or a name and password which are changed for one (POST /auth/token) and again when it has run out.
The receipt says that the run was queued; `look` says how it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Standing, Uncertain
from hub.delivery.posting import Answer
from hub.delivery.reach import Lookup, Network, look_up
from hub.delivery.started import MANNERS, TIMEOUT_SECONDS, Calls, content_of, refused, standing

ALREADY_THERE = 409
GOOD, BAD = "success", frozenset({"failed"})
"""States of a run that has ended; `queued` and `running` have not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowService:
    """Where an Airflow is (without /api/v2), and a token, or a name and password to get one with."""

    url: str
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class AirflowChannel:
    """Starts runs at `services`, {name: AirflowService}. `allowed`: private networks they may be in."""

    name = "airflow"

    def __init__(
        self,
        services: Mapping[str, AirflowService],
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
                to=f"Airflow {name}",
                setting="airflow.allow",
                allowed=allowed,
                lookup=lookup,
                timeout_seconds=timeout_seconds,
            )
            for name, each in services.items()
        }
        self._tokens: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"AirflowChannel({', '.join(sorted(self._services))})"

    @property
    def places(self) -> frozenset[str]:
        """The names a playbook may say."""
        return frozenset(self._services)

    async def send(self, message: Message) -> Receipt:
        name = message.address
        if name not in self._services:
            there = ", ".join(sorted(self._services)) or "none"
            raise Rejected(f"no Airflow {name!r} is set up; there are: {there}", kind=Refusal.PERMANENT)
        dag = str(message.payload["dag"])
        start = {"dag_run_id": message.dedup_key, "logical_date": None, "conf": dict(message.payload.get("conf") or {})}
        answer = await self._start(name, dag, start)
        if answer.status == 401 and self._tokens.pop(name, None) is not None:  # it has run out
            answer = await self._start(name, dag, start)
        if not answer.taken and answer.status != ALREADY_THERE:
            raise refused(answer, self._calls[name].to, what=f"the DAG {dag!r}")
        return {"dag": dag, "dag_run_id": message.dedup_key, "status": answer.status}

    async def look(self, address: str, receipt: Receipt) -> Standing:
        if address not in self._services:
            raise Rejected(f"no Airflow {address!r} is set up", kind=Refusal.PERMANENT)
        dag, run = (quote(str(receipt[name]), safe="") for name in ("dag", "dag_run_id"))
        path = f"/api/v2/dags/{dag}/dagRuns/{run}"
        for _ in range(2):
            token = await self._token(address)
            answer = await self._calls[address].look(path, authorization=f"Bearer {token}")
            if answer.status != 401 or self._tokens.pop(address, None) is None:  # else it has run out
                break
        return standing(answer, self._calls[address].to, state=content_of(answer).get("state"), good=GOOD, bad=BAD)

    async def _start(self, name: str, dag: str, start: Mapping[str, object]) -> Answer:
        token = await self._token(name)
        path = f"/api/v2/dags/{quote(dag, safe='')}/dagRuns"
        return await self._calls[name].call("POST", path, start, authorization=f"Bearer {token}")

    async def _token(self, name: str) -> str:
        service = self._services[name]
        if service.token is not None:
            return service.token
        if name not in self._tokens:
            given = {"username": service.username, "password": service.password}
            try:
                answer = await self._calls[name].call("POST", "/auth/token", given)
            except Uncertain as error:  # of a token it does not matter
                raise Rejected(error.reason, kind=Refusal.TRANSIENT) from None
            token = content_of(answer).get("access_token") if answer.taken else None
            if not isinstance(token, str):
                denied = answer.status in (400, 401, 403)
                raise Rejected(
                    f"{self._calls[name].to} gives us no token ({answer.status})",
                    kind=Refusal.DENIED if denied else Refusal.TRANSIENT,
                    retry_after=answer.retry_after,
                )
            self._tokens[name] = token
        return self._tokens[name]
