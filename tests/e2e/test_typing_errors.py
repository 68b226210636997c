"""What people type wrong, and what each of them is told: a name that is nearly right, a unit, a heading, a date, a file of another kind.

A case is (what was typed, the exit code, what is said). Nothing may have changed where a command is refused, and no answer may
speak of the API where it means the command line."""
import dataclasses
import os
import pathlib
import re
import subprocess

import grpc
import pytest

from bots import Bots, fails_with
from certificates import Authority
from harness import Bursard, Redis, protos
from harness.bursard import SANITIZER_ENV
from harness.paths import program

DONE, DENIED, USAGE, UNREACHABLE, REFUSED = range(5)
RUN_FAILED = 125
# Names of calls and fields of the API, which whoever types commands has never seen.
API_WORDS = re.compile(r"\b(see (List|Get)[A-Z]\w+|\w+_us\b|(from|to)_day|ref\.\w+|change\.\w+|ids\[\d+\])")

FILES = {
    "leavers.csv": "user,why\nalice,left\nbob,left\n",
    "mails.csv": "name,tier\nalice,pro\n",
    "semicolons.csv": "email;user\na@example.org;alice\n",
    "tabs.csv": "user\twhy\nalice\tleft\n",
    "empty.csv": "",
    "heading-only.csv": "user,why\n",
    "one-heading.csv": "email\nalice\n",
    "strangers.csv": "user\nalice\nalicia\nbobb\n",
    "prices-semicolons.csv": "provider;model;input_usd_per_1m;output_usd_per_1m\nopenai;gpt-4o;2.5;10\n",
    "traffic-semicolons.csv": "timestamp;user;model;input_tokens;output_tokens\n2026-11-01T00:00:00Z;alice;gpt-4o;1;1\n",
    "tab.yaml": "tiers:\n\tpro:\n\t\tlimits: [requests=60/min]\n",
    "fleet.json": '{"limits": [{"dimension": "requests"}',
    "picture.png": "\x89PNG\r\n\x1a\n\0\0",
}


@pytest.fixture(scope="module")
def world(postgres_server, tmp_path_factory):
    """A fleet that some people use: alice, bob and carol, the team research, the tenant acme."""
    directory = tmp_path_factory.mktemp("typed")
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="latin-1")
    Authority(directory, "ca")
    database, redis = postgres_server.database(), Redis()
    server = Bursard(redis, database)
    bots = Bots(protos, server.grpc_addr)
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id="acme")), timeout=30)
    bots.account("research", "TEAM")
    for user in ("alice", "bob", "carol"):
        bots.account(user, tier="pro")
    yield World(directory, server, bots, database)
    bots.close()
    server.stop()
    redis.kill()
    database.drop()


@dataclasses.dataclass
class World:
    directory: pathlib.Path
    server: Bursard
    bots: Bots
    database: object

    def type(self, line, **variables):
        env = {**SANITIZER_ENV, "PATH": f"{pathlib.Path(program('bursar')).parent}:/usr/bin:/bin", "HOME": str(self.directory),
               "LC_ALL": "C.UTF-8", "TZ": "UTC", "BURSAR_ADDR": self.server.grpc_addr, "PORT": self.server.grpc_addr.split(":")[1], **variables}
        return subprocess.run(["bash", "-c", line], cwd=self.directory, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=120, check=False, text=True)

    def account(self, user, kind="USER"):
        return self.bots.admin.GetAccount(self.bots.admin_pb.GetAccountRequest(ref=self.bots.key(user, kind)), timeout=30)


# -- ids
IDS = [
    ("bursar account set-tier alicia pro", USAGE, "unknown user alicia", "did you mean 'alice'?", "--create"),
    ("bursar account suspend alcie", USAGE, "user alcie", "did you mean 'alice'?", "--create"),
    ("bursar account override bbo requests=60/min", USAGE, "user bbo", "did you mean 'bob'?"),
    ("bursar account grace carrol --for 2h", USAGE, "user carrol", "did you mean 'carol'?"),
    ("bursar account bypass zaphod on", USAGE, "user zaphod", "--create"),
    ("bursar account suspend reserch --kind team", USAGE, "team reserch", "did you mean 'research'?"),
    ("bursar account override gpt-4oo --kind model requests=10/min", USAGE, "did you mean 'gpt-4o'?"),
    ("bursar account set-tier alice pr0", REFUSED, "no tier pr0", "did you mean 'pro'?", "bursar tier list"),
    ("bursar account put alice --tier prro", REFUSED, "--tier: ", "did you mean 'pro'?"),
    ("bursar tier show enterprize", REFUSED, "did you mean 'enterprise'?"),
    ("bursar tier delete prro", REFUSED, "prro", "bursar tier list"),
    ("bursar pool show agent-executoin", REFUSED, "did you mean 'agent-execution'?"),
    ("bursar price show gpt-4oo", REFUSED, "MODEL: gpt-4oo", "did you mean 'gpt-4o'?"),
    ("bursar check alice --tenant acmee", DONE, "tenant acmee", "did you mean 'acme'?"),
    ("bursar check alice --interface telegramm", DONE, "telegramm", "did you mean 'telegram'?"),
    ("bursar tier put typed requests=60/min,interface=dicsord", DONE, "dicsord", "did you mean 'discord'?"),
    ("bursar --profile wrok status alice", USAGE, "no profile 'wrok'"),
]

# -- commands, options and what they take
WORDS = [
    ("bursar acount list", USAGE, "did you mean 'account'?"),
    ("bursar account lst", USAGE, "did you mean 'list'?"),
    ("bursar check alice --interfce web", USAGE, "did you mean '--interface'?"),
    ("bursar account get alice --kind usr", USAGE, "--kind: ", "did you mean 'user'?"),
    ("bursar key create opertor", USAGE, "did you mean 'operator'?"),
    ("bursar key create operator --tenant acme", USAGE, "--tenant: an operator's key is for all tenants", "key create admin --tenant acme"),
    ("bursar bulk set-teir pro --all", USAGE, "did you mean 'set-tier'?"),
    ("bursar tier put typed request=60/min", USAGE, "did you mean 'requests'?"),
    ("bursar tier put typed requests=60/min,brust=100", USAGE, "did you mean 'burst'?"),
    ("bursar tier put typed requests=60", USAGE, "the period is missing"),
    ("bursar tier put typed requests:60/min", USAGE, "requests=60/min"),
    ("bursar tier put empty --priority 3", DONE, "has no limits"),
    ("bursar completion bsh", USAGE, "did you mean 'bash'?"),
]

# -- units, amounts, durations
UNITS = [
    ("bursar tier put typed requests=60/minute", DONE, "requests=60/min"),
    ("bursar tier put typed requests=2/second", DONE, "requests=2/s"),
    ("bursar tier put typed cost=5/d", DONE, "cost=5/day"),
    ("bursar tier put typed requests=100/hour", DONE, "requests=100/h"),
    ("bursar tier put typed tokens=1M/weeks", DONE, "tokens=1M/week"),
    ("bursar tier put typed requests=60/m", USAGE, "write min or month"),
    ("bursar tier put typed requests=60/fortnight", USAGE, "period 'fortnight'"),
    ("bursar tier put typed cost=0,25/day", USAGE, "0.25 with a point"),
    ("bursar tier put typed tokens=1.5G/day", USAGE, "1.5M"),
    ("bursar --timeout 5 status alice", DONE, ""),
    ("bursar --timeout 5x status alice", USAGE, "--timeout: '5x'", "500ms, 30s"),
    ("bursar account grace alice --for 5", USAGE, "--for: '5' has no unit", "5min"),
    ("bursar account grace alice --for '2 hours' --percent 10", DONE, "alice"),
    ("bursar check alice --ttl 30days", REFUSED, "--ttl: 30days", "24h"),
    ("bursar run --user alice --max-wait 1us -- true", RUN_FAILED, "--max-wait: 1us is not between 1s and 1h"),
]

# -- dates
DATES = [
    ("bursar audit --from yesterday", DONE, ""),
    ("bursar report days alice --from yesterday --to today", DONE, ""),
    ("bursar report days alice --from 2026-11-20 --to 2026-11-10", REFUSED, "--to: is before --from"),
    ("bursar report days alice --from 2026-02-30 --to 2026-03-01", USAGE, "--from: '2026-02-30'"),
    ("bursar report days alice --from 20.11.2026 --to 21.11.2026", USAGE, "write 2026-11-20"),
    ("bursar report month alice --month 11/2026", USAGE, "must look like 2026-11"),
    ("bursar account grace alice --until yesterday", USAGE, "--until: has already passed"),
    ("bursar audit --from tomorow", USAGE, "did you mean 'tomorrow'?"),
    ("bursar account override alice requests=60/min,until=2020-01-01 --merge", REFUSED, "until"),
]

# -- headings, and files of the wrong kind
WRONG_FILES = [
    ("bursar bulk suspend -f mails.csv --yes", USAGE, "mails.csv: line 1: no column is called user or id", "name, tier"),
    ("bursar bulk suspend -f semicolons.csv --yes", USAGE, "separated by ';'", "commas"),
    ("bursar bulk suspend -f tabs.csv --yes", USAGE, "separated by tabs", "commas"),
    ("bursar bulk suspend -f empty.csv --yes", USAGE, "empty.csv: is empty"),
    ("bursar bulk suspend -f heading-only.csv --yes", USAGE, "heading-only.csv: has a heading and no ids"),
    ("bursar bulk suspend -f one-heading.csv --yes", REFUSED, "email", "is it a heading?"),
    ("bursar bulk suspend -f strangers.csv --yes", REFUSED, "alicia: did you mean 'alice'?", "bobb: did you mean 'bob'?", "2 of 3", "--create"),
    ("bursar bulk suspend -f picture.png --yes", USAGE, "picture.png: ", "not text"),
    ("bursar bulk suspend -f leavrs.csv --yes", USAGE, "leavrs.csv"),
    ("bursar price import prices-semicolons.csv --yes", REFUSED, "separated by ';'"),
    ("bursar price import empty.csv --yes", USAGE, "is empty"),
    ("bursar replay traffic-semicolons.csv", USAGE, "separated by ';'"),
    ("bursar replay empty.csv", USAGE, "is empty"),
    ("bursar apply -f tab.yaml --yes", USAGE, "tab.yaml", "a tab", "spaces"),
    ("bursar account override alice -f fleet.json --merge", USAGE, "fleet.json"),
    ("bursar --tls-ca ca.key status alice", USAGE, "--tls-ca: ca.key", "is a private key"),
    ("bursar --tls-ca leavers.csv status alice", USAGE, "--tls-ca: leavers.csv", "holds no certificate"),
    ("bursar --key-file empty.csv status alice", USAGE, "empty.csv: is empty"),
]

# -- addresses
ADDRESSES = [
    ("bursar --addr localhost:$PORT status alice", DONE, ""),
    ("bursar --addr http://localhost:$PORT status alice", USAGE, "--addr: ", "without http://"),
    ("bursar --addr localhost:742o status alice", USAGE, "--addr: "),
    ("bursar --addr 127.0.0.254 --timeout 1 status alice", UNREACHABLE, "127.0.0.254:7420"),
]

CASES = IDS + WORDS + UNITS + DATES + WRONG_FILES + ADDRESSES


@pytest.mark.parametrize("typed, code, said", [(typed, code, said) for typed, code, *said in CASES], ids=[case[0][7:] for case in CASES])
def test_what_is_typed_wrong_is_told_in_its_own_words(world, typed, code, said):
    before = world.database.value("select count(*) from audit_log")
    done = world.type(typed)
    text = done.stdout + done.stderr
    assert done.returncode == code, text
    for words in said:
        assert words in text, text
    assert not API_WORDS.search(text), text
    if code != DONE:
        assert world.database.value("select count(*) from audit_log") == before, "something was changed"


def test_a_tenant_that_a_check_made_up_is_listed_as_one_that_nobody_has_put(world):
    bots = Bots(protos, world.server.grpc_addr, tenant="acmme")
    bots.record(bots.check("alice"), input_tokens=1)
    bots.drained()
    pages, token = [], ""
    while True:
        page = bots.admin.ListTenants(bots.admin_pb.ListTenantsRequest(page_size=1, page_token=token), timeout=30)
        pages += [(tenant.id, tenant.known) for tenant in page.tenants]
        token = page.next_page_token
        if not token:
            break
    bots.close()
    assert [row for row in pages if row[0].startswith("acm")] == [("acme", True), ("acmme", False)]
    assert re.search(r"^acmme .* never$", world.type("bursar tenant list").stdout, re.M)


def test_a_user_who_was_just_charged_is_not_called_new(world):
    """The ledger hears of it a moment later; the store knows it already."""
    done = world.type("bursar record $(bursar check dora --model gpt-4o --json | sed -n 's/.*\"reservation\": \"\\(.*\\)\",/\\1/p') "
                      "--input-tokens 10 && bursar status dora && bursar account suspend dora")
    assert done.returncode == DONE and done.stderr == "", done
    world.type("bursar account unsuspend dora")


def test_overrides_that_would_go_are_shown_and_go_only_when_that_is_meant(world):
    assert world.type("bursar account override carol requests=60/min tokens=1M/day").returncode == DONE
    refused = world.type("bursar account override carol cost=5/day requests=70/min")
    assert refused.returncode == USAGE
    assert "would lose these overrides:\n  tokens_per_day: tokens=1M/day\n" in refused.stderr and "requests" not in refused.stderr
    assert "--merge" in refused.stderr and "--yes" in refused.stderr and len(world.account("carol").overrides) == 2
    assert world.type("bursar account override carol cost=5/day --merge").returncode == DONE and len(world.account("carol").overrides) == 3
    assert world.type("bursar account override carol cost=6/day --yes").returncode == DONE and len(world.account("carol").overrides) == 1
    assert world.type("bursar account override carol cost=7/day").returncode == DONE
    assert world.type("bursar account override carol --clear").returncode == DONE and not world.account("carol").overrides


def test_an_operators_key_has_no_tenant(world):
    request = world.bots.admin_pb.CreateKeyRequest(role="ROLE_OPERATOR", tenant="acme")
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, world.bots.admin.CreateKey, request, timeout=30)
    assert error.details().startswith("tenant: an operator's key covers all tenants")


@pytest.mark.parametrize("answer, known", [("n", False), ("y", True)])
def test_at_a_terminal_a_stranger_is_asked_about(world, answer, known):
    user = f"zaphod-{answer}"
    done = world.type(f"echo {answer} | script -qec 'bursar account suspend {user}' /dev/null")
    assert f"unknown user {user}" in done.stdout and "Create it? [y/N]" in done.stdout, done
    assert world.account(user).known == known
