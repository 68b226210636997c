"""What the command line says, word by word: golden/*.txt are transcripts, each against a fleet of its own.

    BURSAR_GOLDEN=write pytest tests/e2e/test_golden.py    # rewrites them: read what git diff shows

Every clock stands still, so times and durations are what they are in the transcripts."""
import datetime
import os
import pathlib
import re
import subprocess

import pytest

import transcript
from bots import Bots
from harness import Bursard, Clock, Postgres, Redis, protos, until
from harness.bursard import SANITIZER_ENV
from harness.paths import program
from harness.ports import free_port
from streams import Caller, waits

GOLDEN = pathlib.Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.txt"))
WRITE = os.environ.get("BURSAR_GOLDEN") == "write"
YESTERDAY = datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.timezone.utc)
NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.timezone.utc)

# Commands that have no JSON, and why.
NO_JSON = {
    "completion": "prints a script",
    "run": "the output is that of the command it runs",
}

# What the alerts role stores: three events, and two messages to the channel `ops`, one of them given up.
FIRED = """
insert into alert_events (at, tenant, rule, kind, severity, account_kind, account, limit_name, dimension, unit, window_start_us, window_end_us, used, amount,
    percent, threshold, subject, age_us)
values (now(), 'default', 'limits', 1, 2, 2, 'red', 'cost_per_month', 4, 2, 1793491200000000, 1796083200000000, 81000000000, 100000000000, 80, 80000000000, '', 0),
    (now(), 'default', 'first-denial', 4, 1, 1, 'alice', 'requests_per_day', 0, 0, 1795478400000000, 1795564800000000, 50, 50, 0, 0, 'quota', 0),
    (now(), '', 'ledger-lag', 8, 3, 0, '', '', -1, -1, 0, 0, 0, 0, 0, 0, '', 95000000);
insert into alert_deliveries (message_id, tenant, channel, events, state, attempts, created_at, give_up_at, next_at, ended_at, status, error)
values ('msg_' || md5('dead'), 'default', 'ops', '{2}', 3, 2, now() - interval '1 d', now(), now(), now(), 503, 'HTTP 503'),
    ('msg_' || md5('done'), 'default', 'chat', '{2,3}', 2, 1, now() - interval '1 min', now(), now(), now() - interval '50 s', 200, '');
insert into alert_attempts values (2, 1, now() - interval '1 d', 150000, 0, 'the connection was refused'), (2, 2, now(), 90000, 503, 'HTTP 503');
"""


@pytest.fixture(scope="module")
def frozen():
    """The clock, and the PostgreSQL that follows it."""
    clock = Clock()
    clock.stop_at(NOW)
    server = Postgres(clock=clock)
    yield clock, server
    server.stop()


def request(fleet, user, when, **usage):
    """One request of the past, through to the ledger."""
    answer = fleet.check(user, request_id=f"{user}-{when}", model=usage.get("model", ""), interface="telegram",
                         input_tokens=usage["input"], max_output_tokens=usage["output"])
    assert answer.allowed, answer
    fleet.record(answer, input_tokens=usage["input"], output_tokens=usage["output"])


def settled(database):
    """Has the store every change? One that is to be repeated in a while is due: that while never passes on a clock that stands still."""
    database.execute("update policy_changes set repeat_at = clock_timestamp() where repeat_at > clock_timestamp()")
    return database.value("select count(*) from policy_changes") == 0


def settle(fleet, clock, database):
    """The fleet of every transcript: three users, a team in an org, a tenant beside, two days of use."""
    clock.stop_at(YESTERDAY)
    fleet.admin.PutTenant(fleet.admin_pb.PutTenantRequest(
        tenant=fleet.admin_pb.Tenant(id="acme", default_tier="pro")))
    fleet.account("lab", "ORG")
    fleet.account("research", "TEAM", org="lab")
    fleet.account("alice", tier="pro", team="research")
    fleet.account("bob")
    fleet.admin.Suspend(fleet.admin_pb.SuspendRequest(ref=fleet.key("bob"), reason="abuse, ticket 4711"))
    request(fleet, "alice", "yesterday", model="gpt-5.4", input=1200, output=300)
    clock.stop_at(NOW)
    request(fleet, "alice", "now", model="claude-sonnet-5", input=40_000, output=2000)
    request(fleet, "carol", "now", input=500, output=100, model="gpt-5.4")
    fleet.drained()
    until(lambda: settled(database), "policy_changes being empty", 120)


class World:
    """The servers of one transcript, and what may happen to them."""

    def __init__(self, clock, postgres, directory):
        self.clock, self.postgres, self.directory, self.callers = clock, postgres, directory, []
        clock.stop_at(NOW)
        self.database = postgres.database()
        self.redis = Redis(clock=clock)
        self.server = Bursard(self.redis, self.database, clock=clock, workers=1, redis_timeout_ms=5000,
                              roles="serve,ledger,http",  # without alerts: they are those of the transcript
                              denial_memory_ms=0)  # or a repeated denial comes from memory, if it comes soon enough
        self.fleet = Bots(protos, self.server.grpc_addr)
        # The upkeep runs once, and counts days from then on: it has to see today, not the yesterday of `settle`.
        ahead = f"ledger_{NOW + datetime.timedelta(days=3):%Y%m%d}"
        until(lambda: self.database.value("select to_regclass(%s) is not null", ahead), "the ledger's partitions")
        settle(self.fleet, clock, self.database)
        # When a key was used last is written now and then, which on a busy machine is within the transcript.
        self.database.execute("create function nothing() returns trigger language plpgsql as 'begin return null; end'")
        self.database.execute("create trigger nobody before insert on api_key_uses for each row execute function nothing()")

    def close(self):
        for caller in self.callers:
            caller.close()
        self.fleet.close()
        self.server.stop()
        self.redis.kill()
        if self.postgres.running():
            self.database.drop()

    def shell(self):
        tools, home = self.directory / "bin", self.directory / "home"
        tools.mkdir()
        home.mkdir()
        (tools / "bursar").symlink_to(program("bursar"))
        version = subprocess.run([program("bursar"), "version"], text=True, capture_output=True, check=True).stdout.split()[1]
        nobody = f"127.0.0.1:{free_port()}"
        env = {**SANITIZER_ENV, **self.clock.env(), "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(home), "TZ": "UTC",
               "LC_ALL": "C.UTF-8", "BURSAR_ADDR": self.server.grpc_addr, "NOBODY": nobody, "XDG_CONFIG_HOME": ""}
        masks = [
            (re.escape(self.server.grpc_addr), "127.0.0.1:27420"),
            (re.escape(nobody), "127.0.0.1:27999"),
            (re.escape(str(home)), "/home/admin"),
            (re.escape(version), "1.2.3"),
            (r"\b[0-9a-f]{32}\b", "0123456789abcdef" * 2),  # an id that was not given
            (r'"etag": "[0-9a-f]{16}"', '"etag": "0123456789abcdef"'),
            (r"whsec_[\w+/=]+", "whsec_" + "x" * 44),
            (r"msg_[0-9a-f]{32}", "msg_" + "0123456789abcdef" * 2),
            (r"bsk_[\w-]{4,}", lambda key: "bsk_" + "x" * (len(key[0]) - 4)),
            (r"blc_[\w-]{4,}", lambda code: "blc_" + "x" * (len(code[0]) - 4)),
            (r"from ipv4:127.0.0.1:\d{5}\b", "from ipv4:127.0.0.1:40000"),  # the caller's port
            (r"^slot \d{10,}", "slot 410262148061593601"),  # a fence
            (r"\d+ ms, [\d,.]+ requests/s", "50 ms, 40 requests/s"),  # a replay's speed
            (r'"duration_us": \d+', '"duration_us": 50000'),
            (r'"server": "[^"]+:\d+"', '"server": "host:4711"'),
            (r"answers, version [\w.]+( \(Debian [^)]*\))?", "answers, version 1.2.3"),
            (r"answers in [\d.]+ ms", "answers in 1.5 ms"),
            (r"\d\.\d{3} s (behind|ahead of) the server's", "0.001 s behind the server's"),
            (r"\b0\.\d{3} s (behind|ahead of) this", "0.000 s behind this"),
            (r"\b\d+ MiB, no limit", "2 MiB, no limit"),
            (r"version \w+ in /usr/share/zoneinfo", "version 2026a in /usr/share/zoneinfo"),
            (r"the newest source is from \d{4}-\d\d-\d\d", "the newest source is from 2026-11-01"),
        ]
        return transcript.Shell(home, env, masks)

    def happen(self, words):
        passes = re.fullmatch(r"(\d+) s pass", words)
        if passes:
            self.clock.advance(int(passes[1]))
        elif words == "the ledger is written":
            self.fleet.drained()
        elif words == "the store has every change":
            until(lambda: settled(self.database), "policy_changes being empty", 120)
        elif words == "alerts have fired":
            self.database.execute(FIRED)
        elif words == "alice waits for a slot of gpu":
            self.callers.append(waits(Caller(self.fleet, "alice", pool="gpu", request_id="job-1")))
        elif words == "Redis ends":
            self.redis.kill()
        elif words == "PostgreSQL ends":
            self.postgres.kill()
        else:
            raise AssertionError(f"@ {words}: nothing that can happen")


@pytest.fixture
def world(request, frozen, tmp_path):
    clock, server = frozen
    own = "@ PostgreSQL" in request.getfixturevalue("path").read_text()
    if own:
        server = Postgres(clock=clock)
    made = World(clock, server, tmp_path)
    yield made
    made.close()
    if own:
        server.kill()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_said_is_what_is_written(path, world):
    shell = world.shell()
    remark, lines = transcript.typed(path.read_text())
    seen = list(remark)
    for kind, line in lines:
        seen.append(f"{kind} {line}")
        if kind == "$":
            seen += shell.type(line)
        else:
            world.happen(line)
    text = "\n".join(seen) + "\n"
    if WRITE:
        path.write_text(text)
    assert text == path.read_text(), "see git diff after BURSAR_GOLDEN=write"


def known_commands():
    """As the program itself lists them."""
    page = subprocess.run([program("bursar"), "docs", "markdown"], text=True, capture_output=True, check=True).stdout
    return re.findall(r"^### bursar (.*)$", page, re.MULTILINE)


def shown():
    """{command: [the arguments behind its name, ...]} of all transcripts."""
    names, found = known_commands(), {}
    for path in FILES:
        for words in transcript.commands(path.read_text()):
            for name in names:
                parts = name.split()
                if words[:len(parts)] == parts:
                    found.setdefault(name, []).append(words[len(parts):])
    return found


@pytest.mark.parametrize("name", known_commands())
def test_a_command_is_shown_for_people_and_for_programs(name):
    lines = shown().get(name, [])
    plain = [line for line in lines if not {"--json", "-j"} & set(line)]
    assert plain, f"golden/ has no line '$ bursar {name} ...'"
    if name not in NO_JSON:
        assert len(lines) > len(plain), f"golden/ has no line '$ bursar {name} ... --json'"
