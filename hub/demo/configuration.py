"""The demo's configuration folder: the simulated company's sources and channels, written as a person would write them.

Everything else (health, churn, playbooks, templates) is what ships with the hub, so the demo shows the real thing.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from hub.resources import CONFIG

WRITTEN = ".written-by-cshub-demo"

HUB = Template("""\
# Written by `cshub demo`: the hub of a simulated company.

company: Northbeam
url: http://127.0.0.1:$port
store: $${CSHUB_STORE:-sqlite:///$store}

serve:
  port: $port

slack:
  token: $${SLACK_TOKEN:-$slack_token}
  signing_secret: $${SLACK_SIGNING_SECRET:-$slack_signing_token}
  base_url: http://127.0.0.1:$sandbox/slack/api/

mail:
  host: 127.0.0.1
  port: $smtp
  starttls: false
  sender: Northbeam customer success <cs@northbeam.example>
  customers:
    sender: Northbeam <hello@northbeam.example>
    window: {from: "08:00", to: "18:00", days: [mon, tue, wed, thu, fri]}
  bounces:
    webhook:
      secret: $bounces_token

pagerduty:
  services:
    cs: $${PAGERDUTY_KEY:-$pagerduty_token}
  base_url: http://127.0.0.1:$sandbox/pagerduty

webhooks:
  endpoints:
    demo:
      url: http://127.0.0.1:$sandbox/hooks/demo
      secret: $${DEMO_HOOK_SECRET:-$hooks_token}
  allow: [127.0.0.0/8]
""")

OPERATIONS = """
operations:
  channel: slack
  to: "#cshub"

# a month is to pass in a minute: the models that were trained when the hub was set up do for half a year, and once a week
# is often enough to let go of what is too old
schedules:
  train: "0 4 1 1,7 *"
retention:
  schedule: "40 3 * * 0"
"""
BOUNCES = "whsec_" + base64.b64encode(b"demo bounces secret, 32 bytes of").decode()
"""What the mail service of the demo signs with when it tells of bounces."""

SOURCES = Template("""\
# Written by `cshub demo`: every vendor is a sandbox on this machine that speaks the vendor's wire format.

sources:
  crm:
    connector: hubspot
    schedule: "0 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/hubspot
      token: $${HUBSPOT_TOKEN:-$hubspot_token}

  helpdesk:
    connector: zendesk
    schedule: "*/15 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/zendesk
      email: admin@northbeam.example
      token: $${ZENDESK_TOKEN:-$zendesk_token}
      exports_per_minute: 30
      requests_per_minute: 400
    identity:
      external_keys_of: crm

  usage:
    connector: mixpanel
    schedule: "30 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/mixpanel
      project_id: 1
      user: demo
      secret: $${MIXPANEL_SECRET:-$mixpanel_token}
      data_group_id: "1"
      history_days: $history_days
      lookback_days: 1             # nobody's phone reports late here
    identity:
      external_keys_of: crm

  billing:
    connector: csvfile
    schedule: "20 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/csvfile
      location: subscriptions.csv
      token: $${BILLING_TOKEN:-$csvfile_token}
      record: subscription
      key: term_id
      company_key: customer
      updated_at: updated_at
    identity:
      company_keys_of: crm

  invoices:
    connector: csvfile
    schedule: "25 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/csvfile
      location: invoices.csv
      token: $${BILLING_TOKEN:-$csvfile_token}
      record: invoice
      key: invoice_id
      company_key: customer
      updated_at: updated_at
    identity:
      company_keys_of: crm

  nps:
    connector: csvfile
    schedule: "40 * * * *"
    settings:
      base_url: http://127.0.0.1:$sandbox/csvfile
      location: nps.csv
      token: $${NPS_TOKEN:-$csvfile_token}
      record: survey_response
      key: response_id
      company_key: company
      updated_at: responded_at
      columns: {respondent_email: respondent}
      constants: {type: nps, scale: "0-10"}
""")

ATTENTION = """\
# Written by `cshub demo`: whoever looks wants to see everything at once, whatever the hour.

csm: {hours: false, a_day: null}
digest: {severities: []}
"""
LIVED = """\
# Written by `cshub demo`: as it ships, but for fewer messages a day, so that some days have more than that.

csm: {hours: true, a_day: 4}
digest: {at: ["09:00"], severities: [low]}
same_reason: 7 days
snooze: {urgent_comes_through: true}
precision: {fewest: 5}
"""
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Europe/Madrid")
ONBOARDING = {
    "starts_within_days: 14": "starts_within_days: 40",
    "behind_after_days: 21": "behind_after_days: 10",
    "stalled_after_days: 35": "stalled_after_days: 18",
    "fail_after_days: 60": "fail_after_days: 30",
}
"""What a month needs: the newest programme's numbers, so that who hardly begins is behind, stalled and failed within one."""
HELD_OUT = {"churn_save": "20 %", "churn_medium": "20 %", "expansion_offer": "30 %", "health_warning": "30 %"}
"""Playbooks whose effect is to be measured: a share of customers is left untreated by lot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the demo's parts are: ports on loopback, and the folder of the store."""

    folder: Path
    port: int
    sandbox: int
    smtp: int
    history_days: int


def write(
    places: Places,
    *,
    tokens: Mapping[str, str],
    staff: Mapping[str, tuple[str, str]] | None = None,
    lively: bool = False,
) -> Path:
    """Write the folder and return it. `tokens`: {sandbox: its token}. `staff`: {e-mail: (name, Slack user)}.

    lively  for a demo that lives through days: working hours, digests, hold-outs and a quicker onboarding
    """
    folder = places.folder / "config"
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "port": places.port,
        "sandbox": places.sandbox,
        "smtp": places.smtp,
        "store": places.folder / "cshub.db",
        "history_days": places.history_days,
        "bounces_token": BOUNCES,
        **{f"{name}_token": token for name, token in tokens.items()},
    }
    (folder / "hub.yaml").write_text(HUB.substitute(values) + (OPERATIONS if lively else ""), encoding="utf-8")
    (folder / "sources.yaml").write_text(SOURCES.substitute(values), encoding="utf-8")
    (folder / "team.yaml").write_text(_team(staff or {}), encoding="utf-8")
    (folder / "attention.yaml").write_text(LIVED if lively else ATTENTION, encoding="utf-8")
    if lively:
        shipped = (CONFIG / "lifecycle.yaml").read_text(encoding="utf-8")
        (folder / "lifecycle.yaml").write_text(_changed(shipped, ONBOARDING), encoding="utf-8")
        _hold_out(folder / "playbooks")
    return folder


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"the shipped lifecycle.yaml has no {old!r} any more: change it here as well")
        text = text.replace(old, new)
    return f"# Written by `cshub demo`: the shipped one, quicker.\n{text}"


def _hold_out(folder: Path) -> None:
    """The shipped playbooks, some with a hold-out; a folder that somebody else made stays as it is."""
    ours = folder / WRITTEN
    if folder.exists() and not ours.exists():
        return
    folder.mkdir(exist_ok=True)
    ours.touch()
    for path in (CONFIG / "playbooks").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.stem in HELD_OUT:
            text = text.replace("\nrest: ", f"\nholdout: {HELD_OUT[path.stem]}\nrest: ", 1)
        (folder / path.name).write_text(text, encoding="utf-8")


def _team(staff: Mapping[str, tuple[str, str]]) -> str:
    """All of them may press buttons."""
    members = {
        email: {"name": name, "slack": user, "role": "csm", "timezone": ZONES[number % len(ZONES)]}
        for number, (email, (name, user)) in enumerate(sorted(staff.items()))
    }
    return (
        f"# Written by `cshub demo`: the simulated company's own people.\n\nmembers: {json.dumps(members, indent=2)}\n"
    )
