"""Whether everything that a configuration wants to send, start or hear has a way, under names that are there."""

from collections.abc import Collection, Mapping

from hub.errors import Fault
from hub.playbooks import Playbook
from hub.playbooks.steps import MESSAGES, Airflow, PagerDuty, Prefect, Webhook
from hub.playbooks.triggers import ANYTHING
from hub.settings.loading import Settings

ONBOARDING_STEP = "onboarding_step"


def unreachable(settings: Settings) -> list[str]:
    """A sentence for each playbook that sends where nothing is configured, and one for messages about the hub."""
    hub = settings.hub
    given = {
        "slack": hub.slack,
        "email": hub.mail,
        "pagerduty": hub.pagerduty,
        "webhook": hub.webhooks,
        "airflow": hub.airflow,
        "prefect": hub.prefect,
    }
    there = {name for name, each in given.items() if each}
    deaf = hub.slack is not None and hub.slack.signing_secret is None
    notes = (
        ["slack has no signing_secret in config/hub.yaml: its buttons, /cshub and the App Home are off"] if deaf else []
    )
    lost = [hub.operations.channel] if hub.operations and hub.operations.channel not in there else []
    playbooks = settings.playbooks.playbooks.values()
    return (
        notes
        + [f"operations sends to {channel}, which config/hub.yaml does not set up" for channel in lost]
        + [
            f"playbook {playbook.name} sends to {', '.join(missing)}, which config/hub.yaml does not set up"
            for playbook in playbooks
            if (missing := sorted(_channels_of(playbook) - there))
        ]
        + [
            f"playbook {playbook.name} heeds the webhook {playbook.trigger.hook}, and config/hub.yaml has no hooks"
            for playbook in playbooks
            if playbook.trigger.hook is not None and not hub.hooks
        ]
    )


def misnamed(settings: Settings) -> list[Fault]:
    """Names of services, endpoints, hooks and onboarding steps that playbooks say and the configuration does not have.

    Of each kind only where it has others.
    """
    hub = settings.hub
    there: Mapping[str, Collection[str]] = {
        "pagerduty": hub.pagerduty.services if hub.pagerduty else (),
        "webhook": hub.webhooks.endpoints if hub.webhooks else (),
        "airflow": hub.airflow.services if hub.airflow else (),
        "prefect": hub.prefect.services if hub.prefect else (),
    }
    faults = []
    for playbook in settings.playbooks.playbooks.values():
        for step in playbook.steps:
            place, known = _place_of(step.settings), there.get(step.action)
            if place is None or not known or place in known or step.off or step.optional:
                continue
            key = ".".join(map(str, (*step.path, step.action)))
            message = f"config/hub.yaml has no {step.action} {place!r}"
            faults.append(Fault(message, where=f"playbook {playbook.name}", key=key, choices=tuple(sorted(known))))
        hook = playbook.trigger.hook
        if hook is not None and hub.hooks and hook not in hub.hooks:
            message = f"config/hub.yaml has no hook {hook!r}"
            where, choices = f"playbook {playbook.name}", tuple(sorted(hub.hooks))
            faults.append(Fault(message, where=where, key="by.webhook", choices=choices))
    return faults + _no_steps(settings)


def _no_steps(settings: Settings) -> list[Fault]:
    """Playbooks would wait for ever for a step that was renamed."""
    onboarding = settings.lifecycle.onboarding
    known = {step.name for each in onboarding.made() for step in each.steps} if onboarding.enabled else set()
    triggers = [(each.name, each.trigger) for each in settings.playbooks.playbooks.values()]
    return [
        Fault(
            f"no programme of config/lifecycle.yaml has a step {step!r}",
            where=f"playbook {name}",
            key="by.change.onboarding_step",
            choices=tuple(sorted(known)),
        )
        for name, trigger in triggers
        if known and trigger.field == ONBOARDING_STEP
        for step in (*trigger.values, *trigger.but, *trigger.was)
        if step not in known and step != ANYTHING
    ]


def _place_of(settings: object) -> str | None:
    match settings:
        case PagerDuty(service=place) | Airflow(service=place) | Prefect(service=place) | Webhook(endpoint=place):
            return place
    return None


def _channels_of(playbook: Playbook) -> set[str]:
    """Those without which it is not what it says; what is off or optional is passed over where there is no way out."""
    return {step.action for step in playbook.steps if not step.off and not step.optional} & MESSAGES
