"""The page that the links of a survey's mail open: a score chosen, a comment if one likes, and one button.

    GET  /survey/TOKEN/9    shows the page with 9 chosen, and records nothing: mail programs and scanners open every link
    POST /survey/TOKEN      what=answer: the score, once; what=comment: a comment to it, for a while

Nobody logs in: whose answer it is stands in the signed token. The page works without scripts and loads nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hub.access.links import LinkError, Links
from hub.errors import NotFoundError
from hub.lifecycle.advocacy import Asked
from hub.lifecycle.advocacy.answering import LONGEST_COMMENT
from hub.resources import TEMPLATES
from hub.web.receiving import Routes, TooLargeError, body_of

PURPOSE = "survey"
PATH = "/survey/"
MOST = 40_000
SCORES = tuple(range(11))
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Desk(Protocol):
    """What the page asks and tells, by the invitation's id; each may raise NotFoundError."""

    async def look(self, id_: str) -> Asked: ...

    async def answer(self, id_: str, *, score: int, comment: str | None) -> Asked: ...

    async def comment(self, id_: str, *, text: str) -> Asked: ...


def path_of(links: Links, invitation_id: str, *, good_until: datetime, score: int | None = None) -> str:
    """Where an invitation is answered; with a score, that one is chosen there."""
    token = links.sign(PURPOSE, {"invitation": invitation_id}, expires_at=good_until)
    return PATH + token + ("" if score is None else f"/{score}")


def routes(links: Links, desk: Desk, *, company: str, question: str, clock: Callable[[], datetime]) -> Routes:
    pages = Environment(loader=FileSystemLoader(TEMPLATES / "web"), autoescape=True, undefined=StrictUndefined)
    page = pages.get_template("survey.html")

    def shown(status: int = 200, *, asked: Asked | None = None, chosen: int | None = None, fault: str = "") -> Response:
        invitation = asked.invitation if asked else None
        text = page.render(
            company=company,
            question=question,
            scores=SCORES,
            open=asked is not None and asked.open,
            commentable=asked is not None and asked.commentable,
            just_now=asked is not None and asked.just_now,
            address=invitation.address if invitation else "",
            score=invitation.score if invitation else None,
            comment=(invitation.comment or "") if invitation else "",
            longest=LONGEST_COMMENT,
            chosen=chosen,
            fault=fault,
        )
        return HTMLResponse(text, status_code=status, headers=HEADERS)

    async def look(request: Request) -> Response:
        try:
            asked = await desk.look(_invitation(links, request, clock()))
        except (LinkError, NotFoundError) as error:
            return shown(404, fault=str(error))
        return shown(200 if asked.open or asked.invitation.answered_at else 410, asked=asked, chosen=_chosen(request))

    async def take(request: Request) -> Response:
        try:
            id_ = _invitation(links, request, clock())
            form = parse_qs((await body_of(request, most=MOST)).decode("utf-8", "replace"), max_num_fields=10)
            comment = form.get("comment", [""])[0]
            if form.get("what") == ["comment"]:
                asked = await desk.comment(id_, text=comment)
            elif (score := _score(form.get("score", [""])[0])) is not None:
                asked = await desk.answer(id_, score=score, comment=comment)
            else:
                return shown(400, asked=await desk.look(id_), fault="Choose a number from 0 to 10.")
        except (LinkError, NotFoundError) as error:
            return shown(404, fault=str(error))
        except TooLargeError:
            return shown(413, fault="that is more than a comment")
        except ValueError:  # more fields than the page has
            return shown(400, fault="that is no form of this page")
        return shown(200 if asked.invitation.answered_at else 410, asked=asked)

    return [
        Route(PATH + "{token}", look, methods=["GET"]),
        Route(PATH + "{token}", take, methods=["POST"]),
        Route(PATH + "{token}/{score}", look, methods=["GET"]),
    ]


def _invitation(links: Links, request: Request, now: datetime) -> str:
    return str(links.read(PURPOSE, request.path_params["token"], now=now)["invitation"])


def _chosen(request: Request) -> int | None:
    return _score(request.path_params.get("score", ""))


def _score(text: str) -> int | None:
    return int(text) if text in {str(each) for each in SCORES} else None
