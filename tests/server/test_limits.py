"""Rate limits with a clock of ours, and bodies that are too large or never come."""

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from comfygen_mcp.server.limits import BodyLimit, TokenBuckets, caller_of

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_burst_is_granted_and_then_one_per_interval(clock):
    buckets = TokenBuckets(per_minute=30, burst=3, now=clock)

    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == 2
    clock.now += 1
    assert buckets.take("a") == 1
    clock.now += 1
    assert buckets.take("a") == 0
    assert buckets.take("a") == 2


def test_a_refused_request_costs_nothing(clock):
    buckets = TokenBuckets(per_minute=60, burst=1, now=clock)
    buckets.take("a")
    waits = {buckets.take("a") for _ in range(100)}

    assert waits == {1}


def test_a_bucket_never_holds_more_than_the_burst(clock):
    buckets = TokenBuckets(per_minute=60, burst=2, now=clock)
    buckets.take("a")
    clock.now += 3600

    assert [buckets.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_callers_do_not_share_a_bucket(clock):
    buckets = TokenBuckets(per_minute=1, burst=1, now=clock)

    assert (buckets.take("a"), buckets.take("b")) == (0, 0)
    assert buckets.take("a") > 0


def test_the_longest_unseen_caller_is_forgotten_first(clock):
    buckets = TokenBuckets(per_minute=1, burst=1, now=clock, most=2)
    for caller in ("a", "b", "a", "c"):
        buckets.take(caller)

    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


@pytest.mark.parametrize(
    ("client", "caller"),
    [
        (("192.0.2.7", 5), "192.0.2.7"),
        (("2001:db8:1:2:3::4", 5), "2001:db8:1:2::/64"),
        (("testclient", 5), "testclient"),
        (None, "unknown"),
    ],
)
def test_a_caller_is_its_address_or_its_ipv6_network(client, caller):
    assert caller_of({"client": client}) == caller


async def sized(request):
    return Response(str(len(await request.body())))


def limited(**options):
    app = BodyLimit(Starlette(routes=[Route("/", sized, methods=["GET", "POST"])]), 10, **options)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


async def test_a_body_up_to_the_limit_arrives_whole_and_one_byte_more_does_not():
    async with limited() as client:
        replies = [await client.post("/", content=b"x" * size) for size in (0, 10, 11)]

    assert [reply.status_code for reply in replies] == [200, 200, 413]
    assert replies[1].text == "10"


async def test_a_body_that_lies_about_its_length_is_still_counted():
    async with limited() as client:
        reply = await client.post("/", content=b"x" * 50, headers={"Content-Length": "3"})

    assert reply.status_code == 413


async def test_a_body_that_does_not_come_is_not_waited_for():
    async def never():
        yield b"x"
        await anyio.sleep_forever()

    async with limited(within_s=0.05) as client:
        reply = await client.post("/", content=never())

    assert reply.status_code == 408


async def test_a_client_that_leaves_midway_is_an_incomplete_body():
    seen = []
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]

    async def app(scope, receive, send):
        seen.append(await receive())

    async def receive():
        return messages.pop(0)

    await BodyLimit(app, 10)({"type": "http", "method": "POST", "headers": []}, receive, None)

    assert seen == [{"type": "http.request", "body": b"x", "more_body": False}]
