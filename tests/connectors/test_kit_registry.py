from pathlib import Path

import pytest

from connectors.kit import registry
from connectors.kit.manifest import Manifest
from hub.documents import Document
from hub.errors import ConfigError

MANIFEST = """
name: acme
title: Acme
description: One.
auth: A key.
base_url: https://api.acme.example
creates_customers: false
lag_seconds: 5
rates: {default: [{requests: 2, seconds: 1}]}
settings: {base_url: Where.}
streams: {tickets: {about: Tickets., permission: tickets.read, bookmark: time, deletions: none}}
"""


def test_an_unknown_connector_names_those_there_are() -> None:
    for ask in (registry.manifest, registry.settings_model, registry.sandbox):
        with pytest.raises(ConfigError) as caught:
            ask("hubspt")
        (fault,) = caught.value.faults
        assert fault.message == "there is no connector 'hubspt'"
        assert {"csvfile", "hubspot"} <= set(fault.choices)
    with pytest.raises(ConfigError, match=r"no connector '\.\./kit'"):
        registry.build("../kit", {})


def test_faults_of_a_source_stand_at_their_line_of_the_file() -> None:
    text = "crm:\n  connector: hubspot\n  settings:\n    token: t\n    base_url: ftp://x\n    colour: red\n"
    document = Document.from_text(text, name="sources.yaml")
    with pytest.raises(ConfigError) as caught:
        registry.build("hubspot", document.value["crm"]["settings"], document=document, under=("crm", "settings"))
    assert [(fault.line, fault.key, fault.message) for fault in caught.value.faults] == [
        (5, "crm.settings.base_url", "must be a URL such as https://api.example.com"),
        (6, "crm.settings.colour", "is not a setting here"),
    ]


@pytest.mark.parametrize(
    "url", ["https://user:pass@api.example.com", "https://api.example.com?key=s3cret", "api.example.com"]
)
def test_a_base_url_holds_no_credential_and_no_fault_repeats_one(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.build("hubspot", {"token": "t0ken", "base_url": url})
    assert caught.value.faults[0].key == "base_url"
    assert not any(secret in str(caught.value) for secret in ("pass@", "s3cret", "t0ken"))


def test_a_manifest_is_read_and_its_faults_carry_their_lines(tmp_path: Path) -> None:
    good, bad = tmp_path / "acme", tmp_path / "bad"
    for folder, text in ((good, MANIFEST), (bad, MANIFEST.replace("lag_seconds: 5", "lag_seconds: -5\ncolour: red"))):
        folder.mkdir()
        (folder / "manifest.yaml").write_text(text)
    manifest = Manifest.of(good)
    assert (manifest.lag_seconds, manifest.concurrency, manifest.streams["tickets"].permission) == (
        5,
        4,
        "tickets.read",
    )
    budget = manifest.budget("https://api.acme.example", "key")
    assert [budget.bucket("default").reserve(0.0)[0] for _ in range(3)] == [0.0, 0.0, 1.0]
    assert manifest.budget("https://api.acme.example", "key") is budget
    with pytest.raises(ConfigError) as caught:
        Manifest.of(bad)
    assert [(fault.line, fault.key) for fault in caught.value.faults] == [(8, "lag_seconds"), (9, "colour")]
