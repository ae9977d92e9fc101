"""Where playbooks may send, as config/hub.yaml says."""

from dataclasses import replace

from hub.access.links import Links
from hub.compose.mail import mail_channel
from hub.delivery import Channel, pagerduty, slack, started, webhook
from hub.delivery.airflow import AirflowChannel, AirflowService
from hub.delivery.pagerduty import PagerDutyChannel
from hub.delivery.prefect import PrefectChannel, PrefectService
from hub.delivery.reach import network
from hub.delivery.slack import SlackChannel
from hub.delivery.webhook import Endpoint, WebhookChannel
from hub.settings import Settings
from hub.settings.files import Webhooks


def channels(
    settings: Settings, *, links: Links | None = None, find_hook: webhook.Find | None = None
) -> dict[str, Channel]:
    """{kind: channel}, for those that are configured. `links`: for what customers are sent. `find_hook`: see WebhookChannel."""
    made: dict[str, Channel] = {}
    if given := settings.hub.slack:
        made["slack"] = SlackChannel(
            given.token.get_secret_value(),
            base_url=given.base_url,
            manners=replace(slack.MANNERS, expiry=given.expiry),
        )
    if smtp := settings.hub.mail:
        made["email"] = mail_channel(smtp, hub_url=settings.hub.url, links=links)
    if paging := settings.hub.pagerduty:
        made["pagerduty"] = PagerDutyChannel(
            {name: key.get_secret_value() for name, key in paging.services.items()},
            base_url=paging.base_url,
            manners=replace(pagerduty.MANNERS, expiry=paging.expiry),
        )
    hooks = settings.hub.webhooks or (Webhooks() if find_hook else None)
    if hooks is not None:
        made["webhook"] = WebhookChannel(
            {
                name: Endpoint(url=each.url.get_secret_value(), secrets=each.secrets)
                for name, each in hooks.endpoints.items()
            },
            allowed=[network(each) for each in hooks.allow],
            find=find_hook,
            manners=replace(webhook.MANNERS, expiry=hooks.expiry, disabled_after=hooks.disable_after),
        )
    if flows := settings.hub.airflow:
        made["airflow"] = AirflowChannel(
            {
                name: AirflowService(
                    url=each.url,
                    token=each.token.get_secret_value() if each.token else None,
                    username=each.username,
                    password=each.password.get_secret_value() if each.password else None,
                )
                for name, each in flows.services.items()
            },
            allowed=[network(each) for each in flows.allow],
            manners=replace(started.MANNERS, expiry=flows.expiry),
        )
    if deployments := settings.hub.prefect:
        made["prefect"] = PrefectChannel(
            {
                name: PrefectService(
                    url=own.url,
                    key=own.key.get_secret_value() if own.key else None,
                    auth=own.auth.get_secret_value() if own.auth else None,
                )
                for name, own in deployments.services.items()
            },
            allowed=[network(each) for each in deployments.allow],
            manners=replace(started.MANNERS, expiry=deployments.expiry),
        )
    return made
