"""cshub writeback: what would be written, and that nothing is where nothing was asked for."""

from tests.cli.conftest import Cli

SOURCES = """
sources:
  crm:
    connector: hubspot
    settings: {base_url: "http://127.0.0.1:1", token: not-a-real-token}
    write: {fields: {health: cshub_health}}
  desk:
    connector: zendesk
    settings: {base_url: "http://127.0.0.1:1", email: a@b.example, token: not-a-real-token}
"""


def test_without_send_nothing_is_asked_of_anybody(cli: Cli) -> None:
    cli.write("sources.yaml", SOURCES)
    done = cli("writeback", "crm")
    assert (done.exit_code, done.output) == (0, "0 would be written, 0 are as they should be; --send writes them\n")


def test_a_source_that_names_no_fields_is_given_nothing(cli: Cli) -> None:
    cli.write("sources.yaml", SOURCES)
    done = cli("writeback", "desk", "--send")
    assert (done.exit_code, "name the fields under sources.desk.write" in done.output) == (1, True)
    missing = cli("writeback", "nobody")
    assert (missing.exit_code, "crm" in missing.output) == (1, True)
