"""What the webhook.py of every connector that has one has to be."""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.kit import registry
from connectors.kit.base import BadRowError, map_rows
from connectors.kit.settings import SourceSettings
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import World
from tests.connectors.trial import Trial
from tests.connectors.worlds import WHAT


async def webhook(trial: Trial) -> None:
    """What the vendor sends is believed when it is signed, refused when it is not, and says which rows to fetch."""
    vendor, module = trial.vendor, registry.webhook(trial.vendor.name)
    told = vendor.manifest.webhooks
    assert (module is None) == (told is None), (
        f"it has {'no' * (module is None)} webhook.py, and its manifest says {told!r}"
    )
    if module is None:
        return
    sender, now = importlib.import_module(f"connectors.{vendor.name}.sandbox"), vendor.time.clock()
    model = registry.settings_model(vendor.name)
    settings = {
        **registry.sandbox_settings(vendor.name, vendor.url, token=vendor.token),
        **_hook_secrets(model, "right"),
    }
    right = model.model_validate(settings)
    wrong = model.model_validate({**settings, **_hook_secrets(model, "wrong")})
    truth, streams = registry.truth(vendor.name, vendor.world), {stream.name: stream for stream in trial.streams}
    heard = set[str]()
    for what, number in _anything(vendor.world):
        try:
            body = sender.event(what, number)
        except LookupError:
            continue  # the vendor has no such row, or sends nothing of it
        how = {"method": "POST", "url": f"https://hub.example/hooks/{vendor.name}"}

        def signed(body: bytes, at: datetime, how: dict[str, str] = how) -> dict[str, str]:
            given = sender.signed(body, settings=right, now=at, **how)
            return {name.lower(): value for name, value in given.items()}

        headers = signed(body, now)
        module.verified(headers, body, settings=right, now=now, **how)
        refused: list[tuple[str, Any, bytes, Any, datetime]] = [
            ("under another secret", headers, body, wrong, now),
            ("without its headers", {}, body, right, now),
        ]
        if signed(body + b" ", now) != headers:
            refused.append(("with another body", headers, body + b" ", right, now))
        if signed(body, now + timedelta(hours=1)) != headers:
            refused.append(("an hour late", headers, body, right, now + timedelta(hours=1)))
        for why, given, sent, by, at in refused:
            try:
                module.verified(given, sent, settings=by, now=at, **how)
            except BadSignatureError as error:
                shown = str(error)
            else:
                raise AssertionError(f"a webhook {why} was believed")
            assert not [secret for secret in _hook_secrets(model, "right").values() if secret in shown], (
                "a secret is shown"
            )
        if hasattr(module, "rows"):
            pushed = module.rows(headers, body)
            assert pushed, f"nothing of {what} {number} is read"
            for row in pushed:
                assert map_rows(streams[row.stream], [row.raw])[1] == [], f"the row sent of {what} {number} is refused"
            ids = [(row.event_id, row.stream) for row in pushed]
        else:
            some = module.hints(headers, body)
            assert some, f"no hint of {what} {number}"
            for hint in some:
                assert hint.key is None or hint.key in truth[hint.stream], f"{what} {number} hints at {hint}"
            ids = [(hint.event_id, hint.stream) for hint in some]
        assert not heard & {event_id for event_id, _ in ids}, "two events have one id"
        heard |= {event_id for event_id, _ in ids}
    assert heard, "its sandbox can send no event"
    try:
        read = (module.rows if hasattr(module, "rows") else module.hints)(headers, b"<no JSON>")
    except BadRowError:
        return
    raise AssertionError(f"a body that is no JSON was read as {read}")


def _hook_secrets(model: type[SourceSettings], which: str) -> dict[str, str]:
    """Values of the settings by which webhooks are verified."""
    return {
        name: f"whsec-{which}-{name}-0123456789" for name in model.model_fields if "webhook" in name or "hook_" in name
    }


def _anything(world: World) -> Iterator[tuple[str, int]]:
    """Two rows of each part of the World that are there, and live."""
    live = replace(world, people=[row for row in world.people if row.left_at is None])
    for part, what in WHAT.items():
        for row in [row for row in getattr(live, part) if not getattr(row, "ended_on", None)][:2]:
            yield what, row.number
