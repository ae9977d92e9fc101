"""The page to explore the API with: GraphiQL, served from our own host, with a few queries to begin with.

GraphiQL's scripts come from an installed package that carries them (no CDN); it is found without being imported, because its
Python code is for another web framework. The page is static. It asks for a token and keeps it in the browser's tab.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import orjson
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from hub.resources import TEMPLATES

ASSETS = ("graphiql.min.css", "graphiql.min.js", "react.production.min.js", "react-dom.production.min.js")
OURS = TEMPLATES / "web" / "static"
Whose = Literal["admins", "all", "nobody"]
_PACKAGE = "graphene_django_graphiql_static"

# GraphiQL sets styles from its scripts and has its icons and fonts inline; scripts are ours alone
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def assets_folder() -> Path:
    """Where GraphiQL's files lie."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {_PACKAGE} is not installed: GraphiQL's files come from it")
    return Path(spec.submodule_search_locations[0]) / "static" / _PACKAGE


def queries() -> Sequence[str]:
    """The ready-made queries, in their order."""
    return [path.read_text(encoding="utf-8") for path in sorted((TEMPLATES / "web" / "queries").glob("*.graphql"))]


def page(
    *,
    demo_token: str | None = None,
    introspection: Whose = "admins",
    explorer: Whose = "all",
) -> str:
    """The page as HTML.

    demo_token     prefill the token field, for a demonstration on one's own machine only
    introspection  whose tokens may look at the schema: others are not made to ask for it
    explorer       whose tokens the page takes. The page itself holds nothing, and a token can do no more here than elsewhere
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES / "web"), autoescape=select_autoescape())
    tabs = [{"query": query} for query in queries()]
    settings = orjson.dumps(
        {"tabs": tabs, "demoToken": demo_token, "introspection": introspection, "explorer": explorer}
    ).decode()
    # inside <script> a "<" could end the element; JSON may spell it otherwise
    safe = Markup(settings.replace("<", "\\u003c"))  # noqa: S704 - our own files, and escaped as said above
    return environment.get_template("graphiql.html").render(settings=safe)
