"""/outbox: what arrived, as the people who got it would see it. One page of HTML with its own CSS, and no script.

Mail is shown in a frame that may do nothing (no scripts, no links out of it, no images from elsewhere).
"""

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hub.demo.outbox import Arrival, Outbox
from hub.demo.sifting import Wanted, sieve
from hub.demo.stage import Stage, playing, told_to
from hub.demo.workspace import user_id

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'self'"
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_MARKS = (
    (re.compile(r"```(.+?)```", re.DOTALL), r"<pre>\1</pre>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w~])~([^~\n]+)~(?![\w~])"), r"<s>\1</s>"),
)
_EMOJI = re.compile(r":([a-z_]+):")
EMOJI = {
    "eyes": "\N{EYES}",
    "hourglass": "\N{HOURGLASS}",
    "large_orange_circle": "\N{LARGE ORANGE CIRCLE}",
    "no_entry": "\N{NO ENTRY}",
    "question": "\N{BLACK QUESTION MARK ORNAMENT}",
    "white_check_mark": "\N{WHITE HEAVY CHECK MARK}",
    "zzz": "\N{SLEEPING SYMBOL}",
}
_SHOWN = 100


def routes(outbox: Outbox, *, people: Callable[[], Mapping[str, str]] = dict) -> list[Route]:
    """/outbox and /outbox.json. `people`: e-mail -> name of those who may be played."""

    async def page(request: Request) -> Response:
        players = {user_id(email): name for email, name in sorted(people().items())}
        asked = request.query_params
        shown = render(outbox, players=players, acting=asked.get("as", ""), wanted=Wanted.of(asked))
        return HTMLResponse(shown, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def data(request: Request) -> Response:
        asked = request.query_params.get("limit", "1000")
        return JSONResponse(outbox.as_json(limit=int(asked) if asked.isdecimal() else 1_000))

    return [Route("/outbox", page), Route("/outbox.json", data)]


def render(
    outbox: Outbox, *, players: Mapping[str, str] | None = None, acting: str = "", wanted: Wanted | None = None
) -> str:
    """The page. `players`: {Slack user: name} of whom a visitor may play; `acting`: whom he plays."""
    wanted = wanted or Wanted()
    players = players or {}
    acting = acting if acting in players else next(iter(players), "")
    counts, duplicates = outbox.counts(), outbox.duplicates()
    chosen = outbox.messages(limit=_SHOWN, wanted=wanted)
    twice = {(str(each.kind), each.address, each.dedup): each.count for each in duplicates}
    cards = "".join(
        _card(message, Stage(message, acting, players), copies=twice.get(_what(message), 1), wanted=wanted)
        for message in told_to(chosen, acting)
    )
    if len(chosen) == _SHOWN:
        older = escape(wanted.link(acting, before=chosen[-1].number))
        cards += f'<p class="empty"><a href="{older}">Older ones</a></p>'
    repeated = sum(duplicate.count - 1 for duplicate in duplicates)
    tiles = "".join(
        f'<div class="tile{extra}"><b>{number}</b><span>{label}</span></div>'
        for number, label, extra in (
            (counts["slack"], "Slack messages", ""),
            (counts["email"], "e-mails", ""),
            (counts["slack_update"], "Slack updates", ""),
            (counts["pagerduty"], "PagerDuty events", ""),
            (counts["webhook"], "webhooks", ""),
            (repeated, "duplicates", " bad" if repeated else ""),
        )
    )
    css = files("hub.demo").joinpath("outbox.css").read_text(encoding="utf-8")
    nothing = "Nothing has arrived yet." if wanted == Wanted() else "Nothing of the kind has arrived."
    empty = f'<p class="empty">{nothing}</p>'
    narrowing = sieve(wanted, acting=acting, places=outbox.places())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Outbox</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="20">'
        f"<style>{css}</style></head><body><header><h1>Outbox</h1>"
        "<p>What the demo's Slack, mail server, PagerDuty and webhooks have received, newest first.</p></header>"
        f'<section class="tiles">{tiles}</section>{playing(players, acting)}{narrowing}'
        f"<main>{cards or empty}</main></body></html>"
    )


def _what(message: Arrival) -> tuple[str, str, str]:
    return (message.kind, message.address, message.dedup or "")


def _card(message: Arrival, stage: Stage, *, copies: int, wanted: Wanted) -> str:
    marks = []
    if copies > 1:
        marks.append(f'<span class="mark bad">arrived {copies} times</span>')
    if not message.answered:
        marks.append('<span class="mark warn">taken, never confirmed</span>')
    if message.body.get("edited"):
        marks.append('<span class="mark">edited</span>')
    if message.kind.endswith("_repeat"):
        marks.append('<span class="mark">recognised, not taken twice</span>')
    if message.body.get("thread_ts"):
        thread = f"{message.address}/{message.body['thread_ts']}"
        link = escape(Wanted(thread=thread).link(stage.acting))
        marks.append(f'<a class="mark" href="{link}">in the thread</a>')
    where, inside = _shown(message, stage)
    there = escape(wanted.link(stage.acting, to=message.shown, before=None))
    place = f'<a href="{there}">{escape(message.shown)}</a>'
    key = f'<footer title="what the sender knows it by">{escape(message.dedup)}</footer>' if message.dedup else ""
    return (
        f'<article class="{message.kind}" id="arrival-{message.number}"><h2><span class="kind">{where}</span> '
        f"{place} {''.join(marks)}<time>{message.at:%Y-%m-%d %H:%M:%S}</time></h2>{inside}{key}</article>"
    )


def _shown(message: Arrival, stage: Stage) -> tuple[str, str]:
    """Where it arrived, and what of it people see."""
    if message.kind == "email":
        return "E-mail", _mail(message)
    if message.kind.startswith("pagerduty"):
        return "PagerDuty", _incident(message)
    if message.kind.startswith("webhook"):
        return "Webhook", _event(message)
    return "Slack", _slack(message.body, stage)


def _incident(message: Arrival) -> str:
    body = message.body
    told = f"{body['event_action']}: the incident is {body['state'] or 'not there'}, {body['dedup_key']}"
    severity = f" ({body['payload'].get('severity')})" if body["payload"] else ""
    return f'<p class="subject">{escape(message.subject + severity)}</p><p class="from">{escape(told)}</p>'


def _event(message: Arrival) -> str:
    text = orjson.dumps(message.body["event"], option=orjson.OPT_INDENT_2).decode()
    return f'<p class="subject">{escape(message.subject)}</p><pre class="text">{escape(text)}</pre>'


def _mail(message: Arrival) -> str:
    body = message.body
    subject = (
        f'<p class="subject">{escape(message.subject or "(no subject)")}</p><p class="from">{escape(body["from"])}</p>'
    )
    headers = "\n".join(f"{name}: {value}" for name, value in body.get("headers") or ())
    below = f'<details><summary>headers</summary><pre class="text">{escape(headers)}</pre></details>' if headers else ""
    if body.get("html"):
        html = str(body["html"])
        for name, picture in (body.get("pictures") or {}).items():
            html = html.replace(f'"{name}"', f'"{picture}"')
        return f'{subject}<iframe sandbox title="the mail" loading="lazy" srcdoc="{escape(html)}"></iframe>{below}'
    return f'{subject}<pre class="text">{escape(body.get("text") or "")}</pre>{below}'


def _slack(body: Mapping[str, Any], stage: Stage) -> str:
    blocks = body.get("blocks") or []
    shown = "".join(_block(block, stage) for block in blocks) if blocks else f"<p>{mrkdwn(body['text'])}</p>"
    return f'<div class="message"><span class="avatar" aria-hidden="true">cs</span><div>{shown}</div></div>'


def _block(block: Mapping[str, Any], stage: Stage) -> str:
    kind = block["type"]
    if kind == "divider":
        return "<hr>"
    if kind == "header":
        return f"<h3>{_text(block['text'])}</h3>"
    if kind == "context":
        return f'<p class="context">{" ".join(_text(element) for element in block["elements"])}</p>'
    if kind == "actions":
        return f'<div class="actions">{"".join(_button(element, block, stage) for element in block["elements"])}</div>'
    if kind == "section":
        text = f"<p>{_text(block['text'])}</p>" if block.get("text") else ""
        fields = "".join(f"<li>{_text(field)}</li>" for field in block.get("fields") or ())
        accessory = _button(block["accessory"], block, stage) if block.get("accessory") else ""
        said = text + (f'<ul class="fields">{fields}</ul>' if fields else "")
        return f'<div class="beside"><div>{said}</div>{accessory}</div>' if accessory else said
    return f'<p class="context">({escape(str(kind))})</p>'


def _button(element: Mapping[str, Any], block: Mapping[str, Any], stage: Stage) -> str:
    label = _text(element["text"]) if element.get("text") else escape(str(element.get("type")))
    style = f"button {escape(str(element.get('style', '')))}"
    if (url := str(element.get("url", ""))).startswith(("http://", "https://")):
        return f'<a class="{style}" href="{escape(url)}" rel="noreferrer">{label}</a>'
    return stage.form(element, block, label=label, style=style)


def _text(text: Mapping[str, Any]) -> str:
    content = str(text.get("text", text.get("alt_text", "")))
    return mrkdwn(content) if text.get("type") == "mrkdwn" else _plain(content)


def _plain(content: str) -> str:
    return escape(unescape(content)).replace("\n", "<br>")


def mrkdwn(content: str) -> str:
    """Slack's own markup as HTML: bold, italics, strike-through, code, links and mentions."""
    pieces: list[str] = []
    end = 0
    for match in _LINK.finditer(content):
        pieces += [_marked(content[end : match.start()]), _linked(match.group(1), match.group(2))]
        end = match.end()
    return "".join([*pieces, _marked(content[end:])])


def _linked(target: str, label: str | None) -> str:
    if target.startswith(("http://", "https://", "mailto:")):
        return f'<a href="{escape(unescape(target))}" rel="noreferrer">{_plain(label or target)}</a>'
    return f'<span class="mention">{_plain(label or target)}</span>'


def _marked(content: str) -> str:
    shown = _EMOJI.sub(lambda match: EMOJI.get(match[1], match[0]), escape(unescape(content)))
    for pattern, replacement in _MARKS:
        shown = pattern.sub(replacement, shown)
    return shown.replace("\n", "<br>")
