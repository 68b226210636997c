"""The fixtures of tests/e2e and tests/fault. A test that asks for `clock` gets its Redis under that clock."""
import pathlib
import signal

import pytest

from .bursard import Bursard
from .clock import Clock
from .postgres import Postgres
from .process import temp_dir
from .redis_server import Redis


@pytest.fixture(autouse=True)
def ends_in_time(request):
    """A test that hangs fails, and the others go on."""
    seconds = 3600 if request.node.get_closest_marker("long") else 300
    patience = request.node.get_closest_marker("patience")
    if patience:
        seconds = patience.args[0]

    def late(*_):
        raise TimeoutError(f"the test has not ended after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def tmp_path():
    """In place of pytest's own, which is longer the more workers and users there are: bursar cuts messages with long paths."""
    return pathlib.Path(temp_dir("test"))


@pytest.fixture(scope="session")
def postgres_server():
    """One PostgreSQL for the session; tests that stop it make their own."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture
def postgres(postgres_server):
    """A migrated database of the test's own."""
    database = postgres_server.database()
    yield database
    database.drop()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def redis(request):
    """An empty Redis of the test's own, without a disk."""
    server = Redis(clock=request.getfixturevalue("clock") if "clock" in request.fixturenames else None)
    yield server
    server.kill()


@pytest.fixture
def start_bursard(request, redis, postgres):
    """start_bursard(**options) starts one more on the test's stores; all are stopped, and must end well, after it."""
    started = []

    def start(**options):
        given_redis = options.pop("redis", redis)
        given_postgres = options.pop("postgres", postgres)
        server = Bursard(given_redis, given_postgres, start=False, **options)
        started.append(server)
        server.start(wait=True)
        return server

    request.node.bursards = started
    yield start
    errors = []
    for server in started:
        try:
            if server.running():
                server.stop()
        except (AssertionError, RuntimeError) as error:
            errors.append(str(error))
        report = server.sanitizer_report()
        if report and report not in errors:
            errors.append(report)
    assert not errors, "\n".join(errors)


@pytest.fixture
def bursard(start_bursard):
    return start_bursard()


@pytest.fixture
def channel(bursard):
    with bursard.channel() as channel:
        yield channel


@pytest.fixture
def limiter(channel):
    """The stub of bursar.v1.Limiter."""
    from .protos import limiter_pb2_grpc
    return limiter_pb2_grpc.LimiterStub(channel)


@pytest.fixture
def admin(channel):
    """The stub of bursar.v1.Admin."""
    from .protos import admin_pb2_grpc
    return admin_pb2_grpc.AdminStub(channel)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows the end of the logs of its bursards."""
    report = (yield).get_result()
    if report.failed:
        for server in getattr(item, "bursards", []):
            report.sections.append((f"log of bursard {server.grpc_addr}", server.log()[-4000:]))
