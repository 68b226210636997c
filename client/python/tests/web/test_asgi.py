"""The ASGI middleware in real servers: FastAPI and Starlette under uvicorn, asked over sockets."""
import asyncio
import contextlib
import socket
import threading

import httpx
import pytest
import pytest_asyncio
import uvicorn
import websockets
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from accounts import bucket, held, per_day, unique, used, user_with
from conftest import addresses, until

from bursar import Bursar
from bursar.v1 import admin_pb2
from bursar.web.asgi import BursarMiddleware

CHAT = {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}}


class Server(uvicorn.Server):
    """One that leaves signals to the tests."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


@pytest_asyncio.fixture
async def serve():
    """serve(app, **options): its URL. All servers are stopped, as a deployment stops them, after the test."""
    running = []

    async def start(app, **options):
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        server = Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5, **options))
        running.append((server, asyncio.create_task(server.serve([door]))))
        await until(lambda: server.started)
        return f"http://127.0.0.1:{door.getsockname()[1]}"

    async def stop():
        for server, task in running:
            server.should_exit = True
            await task
        running.clear()

    start.stop = stop
    yield start
    await stop()


@pytest_asyncio.fixture
async def http():
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


def failing(app):
    @app.get("/fail/{how}")
    async def fail(request: Request, how: str, tell: bool = False):
        if tell:
            request.state.bursar.usage(CHAT)
        if how == "raise":
            raise RuntimeError("the handler's own")
        raise HTTPException(int(how))


def application(bursar, **options):
    app = FastAPI()
    app.held = asyncio.Event()
    app.add_middleware(BursarMiddleware, bursar=bursar, user=lambda request: request.header("x-user"), **options)
    failing(app)

    @app.get("/chat")
    async def chat(request: Request):
        request.state.bursar.usage(CHAT, provider="openai")
        return {"tier": request.state.bursar.check.tier}

    @app.get("/later")
    async def later(request: Request, tasks: BackgroundTasks):
        tasks.add_task(request.state.bursar.usage, CHAT)
        return {}

    @app.get("/silent")
    async def silent():
        return {}

    @app.get("/stream")
    async def stream(request: Request, tell: bool = True, hold: bool = False):
        async def words():
            yield "one "
            if tell:
                request.state.bursar.usage(CHAT)
            if hold:
                await app.held.wait()
            yield "two"
        return StreamingResponse(words())

    @app.websocket("/ws")
    async def ws(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    return app


async def tokens(bursar, user):
    return {limit.dimension: limit.used for limit in (await bursar.status(user=user)).limits}["tokens"]


async def settled(bursar, user, expected):
    """The user's tokens and the reservations once they are `expected`."""
    await until(lambda: _is(bursar, user, expected))


async def _is(bursar, user, expected):
    return not await held(bursar, user) and await tokens(bursar, user) == expected


async def somebody(bursar, requests=100):
    return await user_with(bursar, bucket(requests), per_day(10**9, "TOKENS"))


@pytest.mark.parametrize("path", ["/chat", "/later", "/stream"])
async def test_what_the_handler_tells_is_recorded_after_the_response(path, bursar, serve, http):
    user, url = await somebody(bursar), await serve(application(bursar, model="gpt-4o"))
    answer = await http.get(url + path, headers={"x-user": user})
    assert answer.status_code == 200 and answer.headers["x-ratelimit-limit"] and answer.headers["ratelimit"]
    await settled(bursar, user, 1500)


async def test_a_starlette_application_is_limited_too(bursar, serve, http):
    async def chat(request):
        request.state.bursar.usage(CHAT)
        return JSONResponse({})

    user = await somebody(bursar, requests=1)
    app = Starlette(routes=[Route("/", chat)], middleware=[Middleware(BursarMiddleware, bursar=bursar, user=lambda _: user)])
    url = await serve(app)
    assert [(await http.get(url)).status_code for _ in range(2)] == [200, 429]
    await settled(bursar, user, 1500)


async def test_a_denial_is_a_429_with_the_headers_that_clients_act_on(bursar, serve, http):
    user, url = await somebody(bursar, requests=0), await serve(application(bursar))
    answer = await http.get(url + "/chat", headers={"x-user": user})
    assert answer.status_code == 429 and answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["type"] == "rate_limit_error" and answer.json()["error"]["code"] == "request_rate"
    assert answer.json()["error"]["message"] == "This is not part of your plan."
    assert answer.headers["x-should-retry"] == "false" and answer.headers["x-bursar-reason"] == "request_rate"


@pytest.mark.parametrize("choice, has", [("both", (True, True)), ("draft", (True, False)), ("legacy", (False, True)), ("none", (False, False))])
async def test_the_application_chooses_the_headers(choice, has, bursar, serve, http):
    user, url = await somebody(bursar, requests=1), await serve(application(bursar, headers=choice))
    for status in (200, 429):
        answer = await http.get(url + "/silent", headers={"x-user": user})
        assert answer.status_code == status
        assert ("ratelimit-policy" in answer.headers, "x-ratelimit-limit" in answer.headers) == has
    assert 1 <= int(answer.headers["retry-after"]) <= 3600


async def test_a_reset_can_be_an_epoch(bursar, serve, http):
    user, url = await somebody(bursar, requests=1), await serve(application(bursar, reset="epoch"))
    assert int((await http.get(url + "/silent", headers={"x-user": user})).headers["x-ratelimit-reset"]) > 1_700_000_000


async def test_a_request_that_tells_nothing_is_charged_as_estimated(bursar, serve, http):
    user = await somebody(bursar)
    url = await serve(application(bursar, model=lambda _: "gpt-4o", estimate=lambda _: {"input_tokens": 70, "max_output_tokens": 30}))
    await http.get(url + "/silent", headers={"x-user": user})
    await settled(bursar, user, 100)


@pytest.mark.parametrize("tell, charged", [(True, 1500), (False, 0)])
@pytest.mark.parametrize("how", ["raise", "503"])
async def test_a_failed_handler_is_cancelled_unless_it_told_its_use(how, tell, charged, bursar, serve, http):
    user, url = await somebody(bursar, requests=5), await serve(application(bursar))
    assert (await http.get(f"{url}/fail/{how}?tell={tell}", headers={"x-user": user})).status_code >= 500
    await settled(bursar, user, charged)
    assert await used(bursar, user) == (1 if tell else 0)


async def test_a_callers_mistake_counts_as_a_request_without_tokens(bursar, serve, http):
    user, url = await somebody(bursar, requests=5), await serve(application(bursar))
    assert (await http.get(f"{url}/fail/404", headers={"x-user": user})).status_code == 404
    await settled(bursar, user, 0)
    assert await used(bursar, user) == 1


@pytest.mark.parametrize("tell, charged", [(True, 1500), (False, 100)])
async def test_a_client_that_goes_away_is_recorded_with_what_was_told_by_then(tell, charged, bursar, serve, http):
    user = await somebody(bursar)
    app = application(bursar, estimate=lambda _: {"input_tokens": 70, "max_output_tokens": 30})
    url = await serve(app)
    async with http.stream("GET", f"{url}/stream?hold=true&tell={tell}", headers={"x-user": user}) as answer:
        assert await anext(answer.aiter_text()) == "one "
    await settled(bursar, user, charged)
    app.held.set()


async def test_several_calls_of_a_provider_are_recorded_one_by_one(bursar, fleet, serve, http):
    async def chat(request):
        for _ in range(3):
            request.state.bursar.usage(CHAT, provider="openai")
        return JSONResponse({})

    user = await somebody(bursar, requests=5)
    url = await serve(Starlette(routes=[Route("/", chat)], middleware=[Middleware(BursarMiddleware, bursar=bursar, user=lambda _: user)]))
    await http.get(url)
    await settled(bursar, user, 4500)
    assert await used(bursar, user) == 1


async def test_websockets_and_what_is_skipped_pass(bursar, serve, http):
    user = await somebody(bursar, requests=0)
    url = await serve(application(bursar, skip=lambda request: request.path == "/silent"))
    assert (await http.get(url + "/silent", headers={"x-user": user})).status_code == 200
    async with websockets.connect(url.replace("http", "ws") + "/ws", additional_headers={"x-user": user}) as connection:
        assert await connection.recv() == "hello"


async def test_functions_may_be_asynchronous_and_a_denial_of_the_applications_own_shape(bursar, serve, http):
    user = await somebody(bursar, requests=0)

    async def deny(request, check):
        return {"error": f"{request.path}: {check.message}"}

    app = FastAPI()
    app.add_middleware(BursarMiddleware, bursar=bursar, user=lambda _: asyncio.sleep(0, user), deny=deny)
    answer = await http.get(await serve(app) + "/x")
    assert answer.status_code == 429 and answer.json()["error"].startswith("/x: ")


async def test_the_same_request_id_counts_once(bursar, serve, http):
    user = await somebody(bursar, requests=1)
    url = await serve(application(bursar, request_id=lambda request: request.header("idempotency-key")))
    name = unique("request")
    assert [(await http.get(url + "/silent", headers={"x-user": user, "idempotency-key": name})).status_code for _ in range(3)] == [200] * 3


async def test_without_a_user_the_address_behind_trusted_proxies_counts(bursar, serve, http):
    number = int(unique("n").removeprefix("n-"))
    address = f"198.18.{number // 250}.{number % 250}"
    await bursar.admin.put_tier(tier=admin_pb2.Tier(name=(tier := unique("tier")), limits=[bucket(2)]))
    await bursar.admin.put_account(ref=admin_pb2.AccountRef(id="ip:" + address), tier=tier)
    trusting = await serve(application(bursar, trusted_proxies=["loopback", "10.0.0.0/8"]), proxy_headers=False)
    wary = await serve(application(bursar), proxy_headers=False)
    header = {"x-forwarded-for": f"6.6.6.6, {address}, 10.1.2.3"}
    assert [(await http.get(trusting + "/silent", headers=header)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await http.get(wary + "/silent", headers=header)).status_code == 200


async def test_without_a_server_it_is_503_or_as_the_fail_policy_says(own, serve, http):
    own.bursards[0].stop()
    async with Bursar(addresses(own), timeout_ms=200, on_error=lambda _: None) as closed, \
            Bursar(addresses(own), fail="open", fail_after_ms=100, on_error=lambda _: None) as lenient:
        answer = await http.get(await serve(application(closed)) + "/silent", headers={"x-user": "ann"})
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1 and answer.json()["error"]["code"] == "unavailable"
        assert (await http.get(await serve(application(lenient)) + "/chat", headers={"x-user": "ann"})).status_code == 200
        await serve.stop()
        own.bursards[0].start()
        await until(lambda: own.database.query("SELECT count(*) FROM ledger WHERE user_id = 'ann'")[0][0] == 1)


async def test_what_has_run_is_recorded_before_the_application_closes_its_client(fleet, serve, http, bursar):
    user = await somebody(bursar)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with own:
            yield

    async def chat(request):
        request.state.bursar.usage(CHAT)
        return JSONResponse({})

    own = Bursar(addresses(fleet))
    url = await serve(Starlette(routes=[Route("/", chat)], lifespan=lifespan,
                                middleware=[Middleware(BursarMiddleware, bursar=own, user=lambda _: user)]))
    await asyncio.gather(*(http.get(url) for _ in range(20)))
    await serve.stop()
    assert await tokens(bursar, user) == 20 * 1500 and not await held(bursar, user)


async def test_many_requests_at_once_leave_nothing_behind(bursar, serve, http):
    user, url = await somebody(bursar, requests=10_000), await serve(application(bursar))
    before = threading.active_count()
    for _ in range(10):
        await asyncio.gather(*(http.get(url + "/chat", headers={"x-user": user}) for _ in range(30)))
    await settled(bursar, user, 300 * 1500)
    assert threading.active_count() <= before + 2
