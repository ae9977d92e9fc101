"""Mail templates: HTML and text of the same content, whatever the values hold."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hub.delivery import Rendered, Renderer, RenderError
from hub.delivery.mail_templates import UNSUBSCRIBE
from hub.delivery.mail_text import WIDTH

HOSTILE = [
    "[x](http://evil.example)",
    "<script>alert(1)</script>",
    "# **",
    "a | b",
    "`c` _d_ ~~e~~",
    "&amp; \\* &lt;",
    "1. z",
]
PNG = "iVBORw0KGgo="

Mail = Callable[..., Rendered]


@pytest.fixture
def mail(tmp_path: Path) -> Mail:
    def made(source: str, *, audience: str | None = None, **context: Any) -> Rendered:
        folder = tmp_path / "templates"
        (folder / "email").mkdir(parents=True, exist_ok=True)
        (folder / "email" / "note.md").write_text(source, encoding="utf-8")
        return Renderer(folder).email("note", context, audience=audience)

    return made


def body(text: str) -> str:
    return f"subject: s\n---\n{text}\n"


class Seen(HTMLParser):
    """What a reader sees of HTML: its words, and the tags they stand in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags, self.attributes = "", [], []  # type: tuple[str, list[str], list[tuple[str, dict[str, str | None]]]]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.attributes if tag == "a"]


def html(made: Rendered) -> Seen:
    return Seen(made.payload["html"])


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["{{ n }}", "# {{ n }}", "- {{ n }}", "**{{ n }}**", "> {{ n }}", "`{{ n }}`"])
def test_a_value_shows_literally_wherever_it_stands(mail: Mail, value: str, place: str) -> None:
    made, plain = mail(body(place), n=value), mail(body(place), n="plain")
    assert value in made.payload["text"]
    assert html(made).words == html(plain).words.replace("plain", value)
    assert html(made).tags == html(plain).tags, "it adds nothing of its own"


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_in_its_cell(mail: Mail, value: str) -> None:
    made = mail(body("| a | b |\n|---|---|\n| {{ n }} | x |"), n=value)
    assert html(made).tags.count("td") - html(mail(body("x"))).tags.count("td") == 2
    assert f"\n  {value}  x\n" in made.payload["text"]


def test_the_subject_is_one_line_and_the_title(mail: Mail) -> None:
    made = mail("subject: {{ n }} is here\npreheader: About {{ n }}\n---\nx\n", n="<i>\r\nBcc: x")
    assert made.subject == "<i> Bcc: x is here"
    assert "<title>&lt;i&gt; Bcc: x is here</title>" in made.payload["html"]
    assert "About &lt;i&gt; Bcc: x" in made.payload["html"]
    assert "About" not in made.payload["text"], "it is for the list of mails"


def test_none_and_numbers(mail: Mail) -> None:
    made = mail(
        body("{{ n | percent }}/{{ n | thousands }}/{{ n }} {{ a | percent }} {{ b | thousands }} {{ a | fixed(0) }}"),
        n=None,
        a=0.256,
        b=1e6,
    )
    assert made.payload["text"] == "\u2013/\u2013/\u2013 26 % 1,000,000 0\n"


def test_the_text_is_laid_out(mail: Mail) -> None:
    made = mail(
        body(
            "# Hello {{ n }}\n\nSee [the plan]({{ u }}) and <https://h.example/>.\n\n[Open it]({{ u }})\n\n"
            "| What | Count |\n|---|---:|\n{% for w, c in rows %}\n| {{ w }} | {{ c }} |\n{% endfor %}\n\n"
            "1. One\n2. Two\n   - inner\n\n> said\n\n---\n\nsmall"
        ),
        n="Acme",
        u="https://h.example/p",
        rows=[("a", 1), ("longer", 1000)],
    )
    assert made.payload["text"] == (
        "Hello Acme\n==========\n\nSee the plan (https://h.example/p) and https://h.example/.\n\n"
        "Open it: https://h.example/p\n\n"
        "  What    Count\n  ------  -----\n  a           1\n  longer   1000\n\n"
        "  1. One\n  2. Two\n     - inner\n\n> said\n\n--\n\nsmall\n"
    )


def test_lines_are_short_and_links_are_whole(mail: Mail) -> None:
    words, link = "many words " * 40, "https://h.example/" + "x" * 100
    made = mail(
        body("{{ w }}\n\n- {{ w }}\n\n| {{ w }} | b |\n|---|---|\n| a | {{ w }} |\n\n[Go]({{ u }})"), w=words, u=link
    )
    lines = made.payload["text"].splitlines()
    assert link in lines
    assert max(len(line) for line in lines if line != link) <= WIDTH
    assert " ".join(made.payload["text"].split()).count("many") == 160


def test_a_link_alone_is_a_button(mail: Mail) -> None:
    seen = html(mail(body("[Open]({{ u }})\n\nor [here]({{ u }}) if you like"), u="https://h.example/?a=1&b=2"))
    links = [attributes for tag, attributes in seen.attributes if tag == "a"]
    assert [link["href"] for link in links] == ["https://h.example/?a=1&b=2"] * 2
    assert [link.get("class") for link in links] == ["button", None]
    assert "background-color: #2f5bd8" in (links[0]["style"] or "")


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        ("{{ v }}", "javascript:alert(1)", None),
        ("{{ v }}", "data:text/html,x", None),
        ("{{ v }}", None, None),
        ("{{ v }}", '"><b>', None),
        ("{{ v }}", 'https://h.example/"><b>', "https://h.example/%22%3E%3Cb%3E"),
        ("{{ v }}", "https://h.example/a b", "https://h.example/a%20b"),
        ("{{ v }}/x?y=1", "https://h.example", "https://h.example/x?y=1"),
        ("https://h.example/{{ v }}", "../x?y=1&z", "https://h.example/..%2Fx%3Fy%3D1%26z"),
        ("mailto:{{ v }}", "a@b.example?bcc=c@d.example", "mailto:a%40b.example%3Fbcc%3Dc%40d.example"),
    ],
)
def test_where_links_go(mail: Mail, target: str, value: str | None, expected: str | None) -> None:
    made = mail(body(f"go [there]({target}) now"), v=value)
    assert html(made).links() == [expected]
    assert made.payload["text"] == (f"go there ({expected}) now\n" if expected else "go there now\n")


def test_charts_come_with_the_mail(mail: Mail) -> None:
    source = body("![Health {{ n }}](chart:{{ c }})")
    made = mail(source, n='"of" 3', c="health", charts={"health": PNG, "other": PNG})
    assert made.payload["attachments"] == [{"name": "health", "type": "image/png", "content": PNG}]
    [image] = [attributes for tag, attributes in html(made).attributes if tag == "img"]
    assert (image["src"], image["alt"]) == ("cid:health", 'Health "of" 3')
    assert made.payload["text"] == '[Health "of" 3]\n'
    with pytest.raises(RenderError, match="there is no chart 'nope'; there are: health"):
        mail(source, n="", c="nope", charts={"health": PNG})


def test_customers_can_opt_out_and_the_team_is_not_asked(mail: Mail) -> None:
    source = "subject: s\naudience: customer\ntopic: onboarding\n---\nHello\n"
    made = mail(source, company="[Cloud](x)")
    assert (made.payload["audience"], made.payload["topic"]) == ("customer", "onboarding")
    assert html(made).links() == [UNSUBSCRIBE]
    assert f"\nunsubscribe ({UNSUBSCRIBE})" in made.payload["text"]
    assert "[Cloud](x) wrote to you" in made.payload["text"]
    for team in (mail(body("Hello")), mail(source, audience="team")):
        assert set(team.payload) == {"text", "html"}
        assert "unsubscribe" not in f"{team.payload}"
    assert mail(body("Hello"), audience="customer").payload["audience"] == "customer"


def test_macros_of_the_template_are_its_own_text(mail: Mail) -> None:
    made = mail(body("{% macro row(a) %}\n- **{{ a }}**\n{% endmacro %}\n{{ row(n) }}{{ row('x') }}"), n="*y*")
    assert made.payload["text"] == "  - *y*\n  - x\n"
    assert html(made).tags.count("strong") == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("subject: s\nhello\n", "note.md: has no line `---`"),
        (
            "subject: s\nsubject: t\n---\nx",
            "line 2: the head has lines of subject, preheader, audience, topic, each once",
        ),
        ("subject: s\ncc: x\n---\nx", "line 2: the head has lines"),
        ("subject: s\naudience: world\n---\nx", "audience: must be one of team, customer"),
        ("audience: team\n---\nx", "has no subject"),
        ("subject: {{ n }}\n---\nx", "its subject is empty"),
        ("subject: s\n---\n\n{{ nobody }}", "note.md: line 4: 'nobody' is undefined"),
        ("subject: s\n---\n{% if %}", "note.md: line 3: "),
        ("subject: s\n---\n[x](htp://y)", "the link 'htp://y' must begin with one of https://, http://, mailto:"),
        ("subject: s\n---\n![x](https://h.example/pixel.gif)", "must be chart:name"),
        ("subject: s\n---\n{{ n | safe }}", "No filter named 'safe'"),
        ("subject: s\n---\n{{ ''.__class__.__mro__ }}", "is unsafe"),
        ("subject: s\n---\n{{ range(10) }}", "'range' is undefined"),
        ("subject: s\n---\n{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_what_is_wrong_is_said(mail: Mail, source: str, reason: str) -> None:
    with pytest.raises(RenderError, match=re.escape(reason)):
        mail(source, n="")


def test_a_template_that_is_not_there(mail: Mail, tmp_path: Path) -> None:
    mail(body("x"))
    with pytest.raises(RenderError, match=r"there is no templates/email/nope\.md; there are: note"):
        Renderer(tmp_path / "templates").email("nope", {})


def test_html_in_a_template_is_text(mail: Mail) -> None:
    assert html(mail(body("<b>x</b>"))).words.strip().endswith("<b>x</b>")
