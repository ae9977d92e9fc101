import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.kit import http
from connectors.kit.budget import Budget, Rate
from connectors.kit.errors import BrokenBodyError, ContractError, DeniedError, PausedError, TransientError
from connectors.kit.http import Client, bearer
from connectors.kit.rates import fields
from connectors.kit.retry import Retry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Script = list[httpx.Response | Exception]


class Vendor(httpx.MockTransport):
    """Answers with a script, one answer a request, and the last one for ever; remembers what it was asked."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script, self.asked = list(script), list[httpx.Request]()
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def client(fake_time: Any) -> Callable[..., Client]:
    def make(vendor: httpx.MockTransport, **more: Any) -> Client:
        more = {"budget": Budget({}), "retry": Retry(spread=lambda low, high: high), **more}
        return Client(
            "https://api.vendor.example/v1",
            transport=vendor, sleep=fake_time.sleep, clock=fake_time.clock, monotonic=fake_time.monotonic, **more,
        )  # fmt: skip

    return make


def ok(body: object = None) -> httpx.Response:
    return httpx.Response(200, json=body if body is not None else {"ok": True})


async def test_asks_under_the_base_url_with_its_headers_and_parameters(client: Any) -> None:
    vendor = Vendor(ok({"rows": [1]}))
    source = client(vendor, authorization=bearer(SecretStr("s3cret-token")), headers={"X-Version": "7"})
    assert await source.get_json("/things?a=1", params={"b": "x y", "c": None, "d": ["1", "2"]}) == {"rows": [1]}
    (request,) = vendor.asked
    assert str(request.url) == "https://api.vendor.example/v1/things?a=1&b=x+y&d=1&d=2"
    assert request.headers["authorization"] == "Bearer s3cret-token"
    assert (request.headers["x-version"], request.headers["user-agent"]) == ("7", "cshub")


async def test_an_answers_headers_can_be_had_and_a_get_can_be_tried_once(client: Any) -> None:
    link = httpx.Response(200, json=[1], headers={"Link": '</things?page=2>; rel="next"'})
    reply, body = await client(Vendor(httpx.Response(503), link)).get("/things")
    assert (body, reply.headers["link"]) == ([1], '</things?page=2>; rel="next"')
    vendor = Vendor(httpx.Response(503), link)
    with pytest.raises(TransientError):
        await client(vendor).get("/things", again=False)
    assert len(vendor.asked) == 1


async def test_posts_json_and_forms(client: Any) -> None:
    vendor = Vendor(ok())
    await client(vendor).post_json("/search", json={"limit": 2})
    await client(vendor).post_json("/engage", form={"page": "1"})
    assert [request.content for request in vendor.asked] == [b'{"limit":2}', b"page=1"]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503, text="upstream"),
        httpx.Response(429, text="Number of allowed API requests per minute exceeded"),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, text='{"rows": [1, 2'),
        httpx.Response(200, text=""),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=["503", "429 plain text", "html", "cut json", "empty", "reset", "no connection", "time-out"],
)
async def test_tries_again_after(client: Any, fake_time: Any, trouble: httpx.Response | Exception) -> None:
    vendor = Vendor(trouble, trouble, ok({"rows": []}))
    assert await client(vendor).get_json("/things") == {"rows": []}
    assert fake_time.slept == [0.5, 1.0]


async def test_jittered_waits_stay_between_half_and_all_of_the_doubling(client: Any, fake_time: Any) -> None:
    with pytest.raises(TransientError, match=r"answered 500"):
        await client(Vendor(httpx.Response(500)), retry=Retry(tries=9, longest=8)).get_json("/x")
    full = [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert len(fake_time.slept) == 8
    assert all(most / 2 <= wait <= most for wait, most in zip(fake_time.slept, full, strict=True))
    assert fake_time.slept != full


async def test_waits_as_long_as_retry_after_says_in_seconds_and_as_a_date(client: Any, fake_time: Any) -> None:
    vendor = Vendor(
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(503, headers={"Retry-After": "Sun, 22 Nov 2026 12:00:27 GMT"}),
        ok(),
    )
    await client(vendor, retry=Retry(spread=lambda low, high: low)).get_json("/x")
    assert fake_time.slept == [7.0, 20.0]


async def test_the_sum_of_waits_has_a_cap(client: Any, fake_time: Any) -> None:
    vendor = Vendor(httpx.Response(429, headers={"Retry-After": "25"}))
    with pytest.raises(TransientError) as caught:
        await client(vendor, retry=Retry(total=80, spread=lambda low, high: low)).get_json("/x")
    assert not isinstance(caught.value, PausedError)
    assert fake_time.slept == [25.0, 25.0, 25.0]


async def test_a_long_wait_the_vendor_names_is_a_pause(client: Any, fake_time: Any) -> None:
    vendor = Vendor(httpx.Response(429, headers={"Retry-After": "7200"}))
    with pytest.raises(PausedError, match=r"paused until 2026-11-22 14:00 UTC") as caught:
        await client(vendor).get_json("/x")
    assert caught.value.until == NOON + timedelta(hours=2)
    assert (fake_time.slept, len(vendor.asked)) == ([], 1)


async def test_a_broken_body_is_believed_after_four_tries(client: Any) -> None:
    vendor = Vendor(httpx.Response(200, text="<html>new login page</html>"))
    with pytest.raises(BrokenBodyError, match=r"GET api\.vendor\.example/v1/x answered 200 with HTML"):
        await client(vendor).get_json("/x")
    assert len(vendor.asked) == 4


@pytest.mark.parametrize(("status", "scope"), [(401, "source"), (403, "stream")])
async def test_a_refusal_costs_one_call(client: Any, status: int, scope: str) -> None:
    vendor = Vendor(httpx.Response(status, json={"error": {"message": "no such key"}}))
    with pytest.raises(DeniedError, match="no such key") as caught:
        await client(vendor).get_json("/x")
    assert (caught.value.scope, len(vendor.asked)) == (scope, 1)


async def test_an_expired_token_is_renewed_once(client: Any) -> None:
    renewals = []

    async def renew() -> str:
        renewals.append(1)
        return f"Bearer fresh-{len(renewals)}"

    vendor = Vendor(httpx.Response(401), ok({"rows": 3}), httpx.Response(401))
    source = client(vendor, authorization="Bearer stale", renew=renew)
    assert await source.get_json("/x") == {"rows": 3}
    assert [request.headers["authorization"] for request in vendor.asked] == ["Bearer stale", "Bearer fresh-1"]
    with pytest.raises(DeniedError):
        await source.get_json("/x")
    assert (len(vendor.asked), len(renewals)) == (4, 2)


async def test_other_hosts_and_redirects_are_not_followed(client: Any) -> None:
    vendor = Vendor(httpx.Response(302, headers={"Location": "https://evil.example/"}))
    for url in ("https://evil.example/v1/x", "//evil.example/x", "http://api.vendor.example/v1/x"):
        with pytest.raises(ContractError, match=r"not followed"):
            await client(vendor).get_json(url)
    assert vendor.asked == []
    with pytest.raises(ContractError, match=r"redirects elsewhere"):
        await client(vendor).get_json("/x")
    assert len(vendor.asked) == 1


async def test_messages_hold_neither_query_nor_credential(client: Any) -> None:
    vendor = Vendor(httpx.Response(400, json={"message": "bad key tok-123456789 in request"}))
    with pytest.raises(ContractError) as caught:
        await client(vendor, authorization="Bearer tok-123456789").get_json("/x", params={"api_key": "hidden"})
    assert str(caught.value) == "GET api.vendor.example/v1/x answered 400: bad key *** in request"
    assert caught.value.status == 400


async def test_a_budget_spreads_requests_and_headers_correct_it(client: Any, fake_time: Any) -> None:
    budget = Budget({"search": [Rate(2, 1.0)], "exports": []})
    vendor = Vendor(ok())
    source = client(vendor, budget=budget, rate_headers=fields("v-limit-", buckets={"exports": "exports"}))
    for _ in range(5):
        await source.get_json("/x", bucket="search")
    assert fake_time.slept == [1.0, 1.0]
    vendor.script = [
        httpx.Response(200, json={}, headers={"V-Limit-Exports": "total=10; remaining=0; resets=33"}),
        ok(),
    ]
    await source.get_json("/x", bucket="exports")
    await source.get_json("/x", bucket="exports")
    assert fake_time.slept[2:] == [33.0]
    [exports, search] = source.quotas
    assert (exports.name, exports.limit, exports.remaining) == ("exports", 10, 0)
    assert exports.resets_at == exports.as_of + timedelta(seconds=33), "as the vendor said"
    assert (search.name, search.limit, search.remaining) == ("search", 2, 2), "by our own count"


async def test_a_budget_that_is_used_up_for_long_is_a_pause_and_nothing_is_sent(client: Any) -> None:
    vendor = Vendor(ok())
    source = client(vendor, budget=Budget({"default": [Rate(1, 3600)]}))
    await source.get_json("/x")
    with pytest.raises(PausedError) as caught:
        await source.get_json("/x")
    assert (caught.value.until, len(vendor.asked)) == (NOON + timedelta(hours=1), 1)


async def test_lines_come_only_from_a_whole_body(client: Any) -> None:
    whole = httpx.Response(200, content='{"n": 1}\r\n{"n": "é"}\n{"end": 1}\n'.encode())
    vendor = Vendor(httpx.Response(200, content=b'{"n": 1}\nterminated early\n'), whole)
    lines = [
        line async for line in client(vendor).stream_lines("/export", whole=lambda tail: b"terminated" not in tail)
    ]
    assert lines == ['{"n": 1}', '{"n": "é"}', '{"end": 1}']
    assert len(vendor.asked) == 2


async def test_bytes_come_in_pieces(client: Any) -> None:
    body = bytes(range(256)) * 1000
    pieces = [piece async for piece in client(Vendor(httpx.Response(200, content=body))).stream_bytes("/file")]
    assert (b"".join(pieces), len(pieces)) == (body, 4)


async def test_a_body_that_unpacks_to_more_than_memory_may_hold_is_left(
    client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1_000_000)
    bomb = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    assert len(bomb) < 10_000
    packed = {"content-encoding": "gzip"}
    vendor = httpx.MockTransport(lambda _: httpx.Response(200, content=bomb, headers=packed))
    with pytest.raises(ContractError, match="sent more than 1,000,000 bytes at once"):
        await client(vendor).get_json("/x")
