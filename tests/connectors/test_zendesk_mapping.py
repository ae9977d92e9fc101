import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.kit.base import map_rows
from connectors.zendesk.connector import Connector, Settings, with_sideloads
from hub.model.records import RECORD_KINDS

FIXTURES = Path(__file__).parents[2] / "connectors" / "zendesk" / "fixtures"
KINDS = {type_: kind for kind, type_ in RECORD_KINDS.items()}
SOURCE = Connector(
    Settings(base_url="https://acme.zendesk.com", email="a@ourco.example", token=SecretStr("s3cret-value"))
)


def plain(value: object) -> Any:
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize("stream", SOURCE.streams(), ids=lambda stream: stream.name)
def test_rows_become_the_records_that_stand_beside_them(stream: Any) -> None:
    golden = json.loads((FIXTURES / f"{stream.name}.json").read_text())
    records, bad = map_rows(stream, golden["rows"])
    assert [plain({"kind": KINDS[type(record)], **asdict(record)}) for record in records] == golden["records"]
    assert [{"key": one.key, "reason": one.reason, "field": one.field} for one in bad] == golden["refused"]


def test_metrics_may_stand_in_the_ticket_or_beside_it() -> None:
    ticket = {"id": 1, "requester_id": 5}
    inside = with_sideloads({"tickets": [{**ticket, "metric_set": {"replies": 2}}], "users": [{"id": 5, "email": "e"}]})
    beside = with_sideloads(
        {"tickets": [ticket], "metric_sets": [{"ticket_id": 1, "replies": 2}], "users": [{"id": 5, "email": "e"}]}
    )
    assert inside == [{"id": 1, "requester_id": 5, "metric_set": {"replies": 2}, "requester_email": "e"}]
    assert beside[0]["metric_set"] == {"ticket_id": 1, "replies": 2}
    assert with_sideloads({"tickets": [ticket]}) == [{**ticket, "metric_set": None, "requester_email": None}]
