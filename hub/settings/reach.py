"""Whether everything that a configuration wants to send has a way out."""

from hub.playbooks import Playbook
from hub.settings.loading import Settings


def unreachable(settings: Settings) -> list[str]:
    """A sentence for each playbook that sends where nothing is configured, and one for messages about the hub."""
    given = {
        "slack": settings.hub.slack,
        "email": settings.hub.mail,
        "pagerduty": settings.hub.pagerduty,
        "webhook": settings.hub.webhooks,
    }
    there = {name for name, each in given.items() if each}
    operations = settings.hub.operations
    slack = settings.hub.slack
    deaf = slack is not None and slack.signing_secret is None
    notes = (
        ["slack has no signing_secret in config/hub.yaml: its buttons, /cshub and the App Home are off"] if deaf else []
    )
    lost = [operations.channel] if operations and operations.channel not in there else []
    return (
        notes
        + [f"operations sends to {channel}, which config/hub.yaml does not set up" for channel in lost]
        + [
            f"playbook {playbook.name} sends to {', '.join(missing)}, which config/hub.yaml does not set up"
            for playbook in settings.playbooks.playbooks.values()
            if (missing := sorted(_channels_of(playbook) - there))
        ]
    )


def _channels_of(playbook: Playbook) -> set[str]:
    """Those without which it is not what it says; what is off or optional is passed over where there is no way out."""
    needed = {step.action for step in playbook.steps if not step.off and not step.optional}
    return needed & {"slack", "email", "pagerduty", "webhook"}
