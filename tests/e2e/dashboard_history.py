"""What the pictures of docs/dashboard.md show: two months of use, and some traffic while the picture is taken."""
import datetime
import itertools
import random
import time

MODELS = {"claude-sonnet-4-5": ("anthropic", 9.0), "gpt-4o": ("openai", 6.5), "claude-haiku-4-5": ("anthropic", 2.8), "gemini-2.5-flash": ("google", 1.6)}
TIERS = {"ann": "pro", "ben": "free", "chidi": "enterprise", "dana": "free"}
TEAMS, INTERFACES = {"ann": "research", "ben": "support", "chidi": "growth", "dana": "research"}, ("telegram", "web", "discord", "api")
SHARED = "tenant, kind, id, day, provider, model, interface, shard"
USERS = "tenant, user_id, day, provider, model, interface"
FIGURES = """rows, requests, charged_input, charged_output, cost_nano, input, cached_input, cache_write, output, reasoning, audio_input,
    audio_output, unpriced"""


def _lines(day, age):
    """One line for each user and model of a day: the use grows, and weekends are quiet."""
    chance = random.Random(day.toordinal())
    for (user, team), (model, (provider, price)) in itertools.product(TEAMS.items(), MODELS.items()):
        cost = price * chance.uniform(0.3, 1) * (1.2 - age / 90) * (0.5 if day.weekday() > 4 else 1)
        requests = int(cost * 40)
        tokens = requests * 900
        yield (user, team, day, provider, model, chance.choice(INTERFACES),
               (requests, requests, tokens, tokens // 4, int(cost * 1e9), tokens, 0, 0, tokens // 4, 0, 0, 0, 0))


def fill(postgres, desk):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    with postgres.sql() as cursor:
        for age in range(60, 0, -1):
            for user, team, day, provider, model, interface, figures in _lines(today - datetime.timedelta(days=age), age):
                where = (day, provider, model, interface)
                cursor.execute(f"insert into usage_daily ({USERS}, {FIGURES}) values %s", (("default", user, *where, *figures),))
                for kind, name in ((5, "default"), (2, team), (6, TIERS[user])):
                    cursor.execute(f"insert into usage_shared_daily ({SHARED}, {FIGURES}) values %s on conflict do nothing",
                                   (("default", kind, name, *where, sorted(TEAMS).index(user), *figures),))
    pb = desk.bots.admin_pb
    for user, team in TEAMS.items():
        desk.admin("PutAccount", pb.PutAccountRequest(ref=pb.AccountRef(id=user), tier=TIERS[user], team=team))
    budget = desk.bots.calendar("cost_per_month", "cost", 500_000_000_000, window="MONTH")
    desk.admin("OverrideLimits", pb.OverrideLimitsRequest(ref=pb.AccountRef(kind="ACCOUNT_KIND_TEAM", id="research"), limits=[budget]))
    postgres.execute("""insert into accounts (tenant, kind, id, tier, version) select 'default', 1, 'user-' || lpad(g::text, 5, '0'),
        case when g % 9 = 0 then 'pro' else 'free' end, 1 from generate_series(1, 20000) g on conflict do nothing""")


def stage(desk, window, name):
    """Brings the window to what its picture shows."""
    if name in ("now", "user-dark", "phone"):
        until = time.monotonic() + (40 if name == "now" else 4)
        for turn in itertools.count():
            user = random.choice([*TEAMS, "ann", "chidi"] if name == "now" else ["ann"])
            answer = desk.check(user, model=random.choice(list(MODELS)), interface=random.choice(INTERFACES), input_tokens=900, max_output_tokens=600)
            if answer.allowed and turn % 5:
                desk.bots.limiter.Record(desk.bots.limiter_pb.RecordRequest(reservation=desk.bots.ref(answer), usage=desk.bots.types.TokenUsage(
                    input_tokens=900, output_tokens=random.randint(50, 500))), metadata=desk.metadata, timeout=10)
            window.wait_for_timeout(random.expovariate(8) * 1000)
            if time.monotonic() > until:
                break
    if name == "tier":
        window.get_by_label("Amount of Requests per day").fill("20")
        window.get_by_role("button", name="Preview and save").click()
        window.get_by_role("dialog").get_by_text("It touches").wait_for()
    window.wait_for_timeout(1500)
