"""Where messages about the hub itself go, as config/hub.yaml says."""

import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.settings.files import HubFile


def parsed(operations: str) -> HubFile:
    return Document.from_text(f"store: sqlite:///x.db\noperations: {operations}\n", name="hub.yaml").parse(HubFile)


def test_a_channel_and_an_address() -> None:
    found = parsed('{channel: slack, to: "#cshub"}').operations
    assert found is not None
    assert (found.channel, found.to) == ("slack", "#cshub")
    assert HubFile(store="sqlite:///x.db").operations is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{channel: pigeon, to: x}", "operations.channel"),
        ("{channel: email, to: nobody}", "no e-mail address"),
        ('{channel: slack, to: ""}', "operations.to"),
        ("{channel: slack}", "operations.to"),
    ],
)
def test_what_cannot_be(given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parsed(given)
