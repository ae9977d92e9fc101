"""What a page of the dashboard is: where it stands, what it asks the API, and what it makes of the answer.

    PAGE = Page(name="today", path="/", title="Today", variables=variables, shape=shape)

`today.graphql` is asked with `variables(visit)`; `today.html` is drawn with the answer's `data`, the `visit`, and what
`shape(data, visit)` adds. Fields that were refused are null in `data`; their errors stand in `faults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from hub.access import Viewer
from hub.model.actions import Role

Data: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One look at a page.

    here   name of the page
    path   what stood in its path
    query  what stood behind the question mark; of a name that is there twice the last
    """

    viewer: Viewer
    now: datetime
    here: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


def _nothing(_: Visit) -> Data:
    return {}


def _as_it_is(_: Data, __: Visit) -> Data:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """See the module.

    nav    its place in the navigation, or that of the page it belongs to: None for none
    role   who may see it at all; the API refuses what is more than a viewer may in any case
    needs  the field of the answer without which there is no page: null there is a 404
    later  what it shows is fetched behind the first view of another page: it may take its time
    """

    name: str
    path: str
    title: str
    nav: str | None = None
    role: Role = Role.VIEWER
    needs: str | None = None
    later: bool = False
    variables: Callable[[Visit], Data] = _nothing
    shape: Callable[[Data, Visit], Data] = _as_it_is
