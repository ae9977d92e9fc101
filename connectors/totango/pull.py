"""All rows of a search, every time: what changed cannot be asked for.

Pages go by offset, in the order of names, and overlap (`kit.offsets`); in the end there must be as many rows as `total_hits`
says. A search shows 10,000 rows at most. Where it has more, it is put again for spans of a number attribute, halved until each
has fewer; that all spans together have all rows is counted, and if they have not, that is an error and no shorter list.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.offsets import Answer, steady
from connectors.totango.questions import Fields, Span, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`Stream.pull` of one kind.

    kind      accounts or users
    terms     which of them; fields: what is asked of each
    key       a row's id
    ceiling   how many rows a search shows; span: by what to part one that has more; part_by: the setting that says so
    """

    kind: str
    terms: Sequence[Term]
    fields: Fields
    key: Callable[[Raw], str]
    page_size: int
    ceiling: int
    sort_by: str
    span: Span | None
    part_by: str

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        pulled = 0
        for terms in await self._parts(client):
            async for rows in self._list(client, terms):
                yield Page(rows=rows)
                pulled += len(rows)
                if window.limit is not None and pulled >= window.limit:
                    return

    async def _parts(self, client: Client) -> list[Sequence[Term]]:
        """Terms of searches that show all they have, and all there is between them."""
        before = await self._count(client, self.terms)
        if before <= self.ceiling:
            return [self.terms]
        if self.span is None:
            raise ContractError(
                f"Totango has {before:,} {self.kind}, and a search shows {self.ceiling:,}; name a number attribute to part"
                f" them by (the setting {self.part_by})"
            )
        waiting, parts, counted = [self.span], list[Sequence[Term]](), 0
        while waiting:
            span = waiting.pop()
            terms = (*self.terms, span.term)
            count = await self._count(client, terms)
            if count > self.ceiling:
                halves = span.halves()
                if halves is None:
                    raise ContractError(
                        f"Totango has {count:,} {self.kind} with {span.attribute} {span.low:,}, and a search shows"
                        f" {self.ceiling:,}; part them by another attribute"
                    )
                waiting.extend(halves)
            elif count:
                parts.append(terms)
                counted += count
        missing = min(before, await self._count(client, self.terms)) - counted
        if missing > 0:
            raise ContractError(
                f"Totango has {missing:,} {self.kind} without {self.span.attribute} from {self.span.low:,} to"
                f" {self.span.high:,}; they would be left out"
            )
        return parts

    async def _count(self, client: Client, terms: Sequence[Term]) -> int:
        return (await self._ask(client, terms, offset=0, count=1)).total or 0

    async def _list(self, client: Client, terms: Sequence[Term]) -> AsyncIterator[Sequence[Raw]]:
        async def ask(offset: int) -> Answer:
            return await self._ask(client, terms, offset=offset, count=self.page_size)

        async for rows in steady(f"Totango {self.kind}", ask, key=self.key):
            yield rows

    async def _ask(self, client: Client, terms: Sequence[Term], *, offset: int, count: int) -> Answer:
        query = {
            "terms": list(terms), "fields": list(self.fields.asked), "count": count, "offset": offset, "sort_by": self.sort_by,
            "sort_order": "ASC", "scope": "all",
        }  # fmt: skip
        form = {"query": orjson.dumps(query).decode()}
        found = _part(await client.post_json(f"/api/v1/search/{self.kind}", form=form), "response", self.kind)
        hits, total = found.get("hits"), found.get("total_hits")
        if not isinstance(hits, list) or not isinstance(total, int):
            raise ContractError(f"Totango {self.kind}: an answer without hits and their number")
        try:
            rows = [self.fields.row(hit) for hit in hits]
        except (ValueError, AttributeError, TypeError):
            raise ContractError(f"Totango {self.kind}: rows with other fields than were asked for") from None
        return Answer(rows=rows, more=offset + len(rows) < total, total=total)


def _part(answer: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        answer = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping):
        raise ContractError(f"Totango {names[-1]}: an answer without {'.'.join(names)}")
    return answer
