"""Faults that are switched on over HTTP and count down as they strike; each receiving side declares its own."""

from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Countdown:
    """The base of a side's faults: fields that are numbers n, "the next n", or settings of their own."""

    def take(self, name: str) -> bool:
        """Whether fault `name` strikes now; counts it down."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


def faults_route(faults: Any) -> Route:
    """`/_faults` of a Countdown: GET shows it, POST with a JSON object of some of its fields changes them."""

    async def switch(request: Request) -> Response:
        if request.method == "POST":
            wanted = orjson.loads(await request.body())
            known = {field.name for field in fields(faults)}
            if not isinstance(wanted, dict) or not set(wanted) <= known:
                return JSONResponse({"error": f"faults are: {', '.join(sorted(known))}"}, 400)
            for name, value in wanted.items():
                setattr(faults, name, value)
        return JSONResponse(asdict(faults))

    return Route("/_faults", switch, methods=["GET", "POST"])
