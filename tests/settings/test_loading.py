"""A configuration folder read: every fault of every file at once, and no secret in any word of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.settings import Settings, load

HUB = "store: sqlite:///cshub.db\n"
SOURCES = """
sources:
  crm:
    connector: hubspot
    settings: {token: "${HUBSPOT_TOKEN}"}
  helpdesk:
    connector: zendesk
    settings: {base_url: https://acme.zendesk.com, email: a@acme.example, token: "${ZENDESK_TOKEN}"}
    identity: {external_keys_of: crm}
"""
SECRETS = {"HUBSPOT_TOKEN": "pat-very-secret", "ZENDESK_TOKEN": "zd-very-secret"}
Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> None:
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("hub.yaml", HUB)
    return write


def faults(environment: Mapping[str, str] = {}) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(Path("config"), environment=environment)
    return [str(fault) for fault in caught.value.faults]


def loaded(environment: Mapping[str, str] = {}) -> Settings:
    return load(Path("config"), environment=environment)


def test_what_is_not_in_the_folder_is_what_ships(write: Write) -> None:
    settings = loaded()
    assert settings.hub.store == "sqlite:///cshub.db"
    assert settings.sources == {}
    assert {
        "churn_save",
        "health_critical",
        "nps_detractor",
        "onboarding_stalled",
    } < settings.playbooks.playbooks.keys()
    assert settings.health.main.coverage_floor == 0.5
    assert "gmail.com" in settings.identity.free_mail


def test_sources_know_their_connector_schedule_and_rules(write: Write) -> None:
    write("sources.yaml", SOURCES + "    schedule: '5 * * * *'\n")
    settings = loaded(SECRETS)
    assert {name: (each.source.connector_name, each.schedule) for name, each in settings.sources.items()} == {
        "crm": ("hubspot", "0 * * * *"),
        "helpdesk": ("zendesk", "5 * * * *"),
    }
    assert settings.identity.sources["crm"].creates_customers is True
    assert settings.identity.sources["helpdesk"].creates_customers is False
    assert settings.identity.sources["helpdesk"].external_keys_of == "crm"


def test_a_variable_may_stand_inside_a_value_and_have_a_default(write: Write) -> None:
    write("hub.yaml", "store: sqlite:///${WHERE:-here}/${NAME}.db\ncompany: ${COMPANY:-}\n")
    assert loaded({"NAME": "hub"}).hub.store == "sqlite:///here/hub.db"
    assert loaded({"NAME": "hub", "WHERE": "there"}).hub.store == "sqlite:///there/hub.db"
    assert loaded({"NAME": "hub", "WHERE": ""}).hub.store == "sqlite:///here/hub.db"
    assert loaded({"NAME": "hub", "COMPANY": "Acme"}).hub.company == "Acme"


@pytest.mark.parametrize("environment", [{}, {"HUBSPOT_TOKEN": ""}])
def test_a_secret_that_is_not_set_is_named_with_its_place(write: Write, environment: dict[str, str]) -> None:
    write("sources.yaml", SOURCES)
    assert faults({"ZENDESK_TOKEN": "x", **environment}) == [
        "config/sources.yaml:5: sources.crm.settings.token: environment variable HUBSPOT_TOKEN is not set"
    ]


def test_a_variable_that_is_not_set_is_told_once_and_not_as_a_wrong_value_too(write: Write) -> None:
    write("hub.yaml", HUB + "serve:\n  port: ${PORT}\n")
    assert faults() == ["config/hub.yaml:3: serve.port: environment variable PORT is not set"]


def test_a_source_that_is_switched_off_needs_nothing(write: Write) -> None:
    write("sources.yaml", SOURCES.replace("connector: hubspot", "connector: hubspot\n    enabled: false"))
    assert list(loaded({"ZENDESK_TOKEN": "x"}).sources) == ["helpdesk"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hub.yaml", "store: mysql://root:hunter2@db/x", "config/hub.yaml:1: store: is not the URL of a database the store"),
        ("hub.yaml", "store: postgresql://u:hunter2@db:port/x", "config/hub.yaml:1: store: is not the URL of a database"),
        ("hub.yaml", HUB + "timezone: Mars/Olympus", "config/hub.yaml:2: timezone: 'Mars/Olympus' is no time zone; names"),
        ("hub.yaml", HUB + "schedules: {score: daily}", "config/hub.yaml:2: schedules.score: 'daily' is no cron expression"),
        ("hub.yaml", HUB + "serve: {prot: 1}", "config/hub.yaml:2: serve.prot: is not a setting here (choices: host, port)"),
        ("hub.yaml", HUB + "mail: {host: h, sender: nobody}", "config/hub.yaml:2: mail.sender: 'nobody' holds no e-mail"),
        ("hub.yaml", "company: X", "config/hub.yaml:1: store: is missing"),
        ("hub.yaml", HUB + HUB, "config/hub.yaml:2: is not valid YAML: key 'store' is given twice"),
        ("hub.yaml", "[store]: x", "config/hub.yaml:1: is not valid YAML: a key must be a text or a number"),
        ("hub.yaml", "- a\n- b", "config/hub.yaml:1: must be names with a value each (name: value)"),
        ("sources.yaml", "sources: {A b: {connector: csvfile}}", "'A b' is no name for a source: small letters, digits,"),
        (
            "sources.yaml",
            "sources: {a: {connector: typeform, settings: {token: x}, write: {fields: {health: h}}}}",
            "sources.a.write: nothing can be written to typeform",
        ),
        (
            "sources.yaml",
            "sources: {a: {connector: hubspot, settings: {token: x}, write: {fields: {helth: h}}}}",
            "there is no field 'helth' to write (choices: health, band,",
        ),
        (
            "sources.yaml",
            "sources: {a: {connector: hubspot, settings: {token: x}, write: {fields: {health: h, band: h}}}}",
            "sources.a.write.fields: h would be written from more than one field",
        ),
        ("sources.yaml", "sources: {a: {connector: hubspt}}", "there is no connector 'hubspt' (choices: "),
        ("sources.yaml", "sources: {a: {connector: hubspot, settings: {tokn: x}}}", "a.settings.tokn: is not a setting here"),
        ("sources.yaml", "sources: {a: {connector: hubspot, settings: {}}}", "sources.a.settings.token: is missing"),
        ("sources.yaml", "sources: {a: {connector: hubspot, schedule: never}}", "sources.a.schedule: 'never' is no cron"),
        (
            "sources.yaml",
            "sources: {a: {connector: hubspot, settings: {token: x}, identity: {external_keys_of: b}}}",
            "config/sources.yaml:1: sources.a.identity.external_keys_of: there is no source 'b' (choices: a)",
        ),
        ("identity.yaml", 'same_as: {x: {"1": crm 2}}', "same_as.x.1: there is no source 'x'"),
        ("identity.yaml", 'same_as: {x: {"1": crm}}', 'same_as.x.1: must be "SOURCE KEY", such as "crm 9000000001"'),
        ("churn.yaml", "bands: {high: 0.2, medium: 0.4, low: 0.7}", "config/churn.yaml:1: bands"),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_its_place(write: Write, name: str, text: str, expected: str) -> None:
    write(name, text)
    found = "\n".join(faults())
    assert expected in found
    assert "hunter2" not in found


def test_faults_of_different_kinds_and_files_are_all_listed(write: Write) -> None:
    write("hub.yaml", "store: nonsense\ntimezone: Nowhere\n")
    write(
        "sources.yaml",
        """
sources:
  crm: {connector: hubspt, schedule: often}
  helpdesk:
    connector: zendesk
    schedule: "61 * * * *"
    settings: {base_url: ftp://x, email: a@b.example, token: "${ZENDESK_TOKEN}", tokn: 1}
    identity: {external_keys_of: crn}
""",
    )
    write("identity.yaml", 'same_as: {desk: {"1": crm 5}}\nfree_mail: gmail.com\n')
    write("churn.yaml", "horizon_days: 90\nhorizon_days: 91\n")
    write(
        "playbooks/a.yaml",
        "playbook: save\nversion: 1\ntitle: A\nwhen: {helth: {lt: 1}}\nrest: 1 day\n"
        'do:\n  - slack: {channel: "#x", template: nope}\n',
    )
    places = [": ".join(fault.split(": ")[:2]) for fault in faults()]
    assert sorted(places) == sorted(
        [
            "config/hub.yaml:1: store",
            "config/hub.yaml:2: timezone",
            "config/sources.yaml:3: sources.crm.schedule",
            "config/sources.yaml:3: sources.crm.connector",
            "config/sources.yaml:6: sources.helpdesk.schedule",
            "config/sources.yaml:7: sources.helpdesk.settings.token",
            "config/sources.yaml:7: sources.helpdesk.settings.base_url",
            "config/sources.yaml:7: sources.helpdesk.settings.tokn",
            "config/sources.yaml:8: sources.helpdesk.identity.external_keys_of",
            "config/identity.yaml:1: same_as.desk.1",
            "config/identity.yaml:2: free_mail",
            "config/churn.yaml:2: is not valid YAML",
            "config/playbooks/a.yaml:4: when.helth",
            "config/playbooks/a.yaml:7: do.0.slack.template",
        ]
    )


def test_health_weights_and_bands(write: Write) -> None:
    write(
        "health.yaml",
        """
bands:
  critical: {from: 0.0, below: 0.3}
  warning: {from: 0.2, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
  usage: {weight: 0.4, of: {dau: {weight: 1}}}
  support: {weight: 0.4, of: {csat: {weight: 1}}}
""",
    )
    assert faults() == [
        "config/health.yaml:4: bands.warning.from: overlaps critical, which goes up to 0.3, by beginning at 0.2",
        "config/health.yaml:7: groups: the weights must add up to 1, and make 0.8 (usage 0.4, support 0.4)",
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}/nope: --config: no such folder"):
        load(tmp_path / "nope", environment={})


def test_settings_do_not_show_secrets(write: Write) -> None:
    write(
        "hub.yaml",
        "store: postgresql://cshub:db-very-secret@db.example/cshub\nslack: {token: '${SLACK_TOKEN}'}\n"
        "mail: {host: h, sender: a@b.example, username: u, password: '${SMTP_PASSWORD}'}\n",
    )
    write("sources.yaml", SOURCES)
    settings = loaded({**SECRETS, "SLACK_TOKEN": "xoxb-very-secret", "SMTP_PASSWORD": "smtp-very-secret"})
    assert settings.hub.slack is not None
    assert settings.hub.slack.token.get_secret_value() == "xoxb-very-secret"
    for each in (
        settings,
        settings.hub,
        settings.sources,
        *(one.source.connector for one in settings.sources.values()),
    ):
        assert "very-secret" not in repr(each)
        assert "very-secret" not in str(each)


@pytest.mark.parametrize(
    "line",
    [
        "timezone: ${SECRET}",
        "mail: {host: h, sender: '${SECRET}'}",
        "schedules: {score: '${SECRET}'}",
        "serve: {port: '${SECRET}'}",
        "store: ${SECRET}",
        "slack: '${SECRET}'",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(write: Write, line: str) -> None:
    write("hub.yaml", line if line.startswith("store") else HUB + line)
    [fault] = faults({"SECRET": "very-secret"})
    assert "very-secret" not in fault
    if line.startswith(("timezone", "mail", "schedules")):
        assert "'${SECRET}'" in fault, "the variable is named in its place"


def test_a_secret_as_a_connector_a_source_or_a_key_is_not_repeated(write: Write) -> None:
    write("sources.yaml", "sources: {a: {connector: '${SECRET}'}}")
    write("identity.yaml", "same_as: {a: {'1': '${SECRET} 2'}}")
    found = faults({"SECRET": "very-secret"})
    assert [fault.split(" (")[0] for fault in found] == [
        "config/sources.yaml:1: sources.a.connector: there is no connector '${SECRET}'",
        "config/identity.yaml:1: same_as.a.1: there is no source '${SECRET}'",
    ]


def test_the_process_environment_names_the_folder(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("CSHUB_CONFIG", str(tmp_path / "elsewhere"))
    assert load().folder == tmp_path / "elsewhere"


TREE = """
bands:
  {critical: {from: 0, below: 0.3}, warning: {from: 0.3, below: 0.5}, stable: {from: 0.5, below: 0.7}, healthy: {from: 0.7}}
groups: {wau: {weight: 1}}
"""


def test_health_definitions_are_those_of_the_folder_or_those_that_ship(write: Write) -> None:
    assert [extra.name for extra in loaded().health.extras] == ["adoption"]
    write("health/big.yaml", "when: {segment: {eq: enterprise}}\npriority: 10" + TREE)
    own = loaded().health
    assert [variant.definition.name for variant in own.variants] == ["big"]
    assert own.extras == (), "whoever brings a folder has what is in it"
    assert len(own.main.places) > 1, "and the main definition that ships, where none is given"


def test_whoever_has_a_definition_of_their_own_has_no_other_than_theirs(write: Write) -> None:
    write("health.yaml", "rollup: mean" + TREE)
    book = loaded().health
    assert (book.variants, book.extras, book.rollup.value) == ((), (), "mean")


def test_a_definition_that_would_not_be_read_is_a_fault(write: Write) -> None:
    write("health/reach.yml", "beside: true" + TREE)
    (fault,) = faults()
    assert fault == "config/health/reach.yml: would not be read: definitions of health are in files that end in .yaml"


def test_faults_of_all_health_files_are_told_together(write: Write) -> None:
    write("health.yaml", TREE.replace("1}", "0.5}"))
    write("health/big.yaml", "when: {segmnt: {eq: enterprise}}\npriority: ${PRIORITY}" + TREE)
    write("health/reach.yaml", "beside: true" + TREE.replace("wau", "wauw"))
    found = faults()
    assert [fault.split(" (")[0] for fault in found] == [
        "config/health/big.yaml:2: priority: environment variable PRIORITY is not set",
        "config/health.yaml:4: groups: the weights must add up to 1, and make 0.5",
        "config/health/reach.yaml:4: groups.wauw: there is no measure 'wauw'",
        "config/health/big.yaml:1: when.segmnt: is no fact",
    ]
