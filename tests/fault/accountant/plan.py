"""Who there is: users in ten time zones on tiers of all kinds of limits, teams, an org, model accounts. Plain data."""
import dataclasses
import datetime
import zoneinfo

MINUTE_US = 60_000_000
TENANT = "books"
ZONES = ["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago",
         "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo"]
INTERFACES = ["telegram", "discord", "web", "api"]
# What docs/money.md says each is the price of: a name with its provider, and an alias, are the model.
SPOKEN = {"gpt-4o": "gpt-4o", "openai/gpt-4o": "gpt-4o", "gpt-4o-2024-08-06": "gpt-4o", "gpt-4o-mini": "gpt-4o-mini",
          "claude-haiku-4-5": "claude-haiku-4-5", "anthropic/claude-haiku-4-5": "claude-haiku-4-5", "gpt-5-mini": "gpt-5-mini"}


@dataclasses.dataclass(frozen=True)
class Limit:
    name: str
    dimension: str  # as in DIMENSION_...
    kind: str       # bucket, calendar, level
    amount: int
    window: str = ""  # day, month
    period_us: int = MINUTE_US
    burst: int = 0
    model: str = ""
    interface: str = ""

    def matches(self, request):
        return self.model in ("", request.model) and self.interface in ("", request.interface)


@dataclasses.dataclass(frozen=True)
class Account:
    kind: str  # user, team, org, model, tenant
    id: str
    limits: tuple
    zone: str = "UTC"
    tier: str = ""
    team: str = ""
    suspended: bool = False
    closed: bool = False

    def window(self, limit, at_us):
        """The beginning of the calendar window that holds a time, as a local date."""
        local = datetime.datetime.fromtimestamp(at_us / 1e6, zoneinfo.ZoneInfo(self.zone)).date()
        return local if limit.window == "day" else local.replace(day=1)


def calendar(name, dimension, amount, window="day", **fields):
    return Limit(name, dimension, "calendar", amount, window, **fields)


# Nobody reaches these: they make every account count everything, so that counters can be compared with the ledger.
COUNTERS = (calendar("month-requests", "requests", 10**9, "month"), calendar("month-tokens", "tokens", 10**12, "month"),
            calendar("month-cost", "cost", 10**15, "month"))
TIERS = {
    "requests-a-day": (calendar("day", "requests", 9),),
    "tokens-a-day": (calendar("day", "tokens", 4_000),),
    "budget": (calendar("day", "cost", 9_000_000), calendar("month", "cost", 12_000_000, "month")),
    "requests-a-minute": (Limit("rpm", "requests", "bucket", 12, burst=4),),
    "tokens-a-minute": (Limit("tpm", "tokens", "bucket", 3_000, burst=1_500),),
    "concurrent": (Limit("level", "concurrent", "level", 2),),
    "mixed": (calendar("day", "requests", 25), Limit("tpm", "tokens", "bucket", 30_000), Limit("level", "concurrent", "level", 3),
              calendar("out", "output_tokens", 4_000), calendar("month", "cost", 40_000_000, "month")),
    "selector": (calendar("one-model", "requests", 4, model="gpt-4o"), calendar("one-door", "requests", 5, interface="telegram"),
                 Limit("both", "tokens", "bucket", 2_000, burst=2_000, model="gpt-4o-mini", interface="web")),
    "nothing": (calendar("day", "requests", 0),),
    "suspended": (),
    "closed": (calendar("day", "requests", 9),),
    "open": (calendar("day", "requests", 9),),
    "debt": (calendar("day", "tokens", 4_000), Limit("tpm", "tokens", "bucket", 2_000)),
}
EQUAL = {"tokens-a-day", "budget", "tokens-a-minute", "mixed"}  # estimates of these are what is used: judged to the token


class Plan:
    """`acts`: how many sets of users come on stage, one after the other."""

    def __init__(self, acts, default_limits):
        self.accounts, self.acts = {}, []
        for act in range(acts):
            names = [self.user(act, number, tier) for number, tier in enumerate(TIERS)]
            names += [self.add(Account("user", f"a{act}-stranger-{n}", tuple(default_limits), tier="free")) for n in range(2)]
            self.acts.append(names)
        for n, zone in enumerate(ZONES[:5]):
            self.add(Account("team", f"team-{n}", (calendar("day", "requests", 60), calendar("budget", "cost", 60_000_000),
                                                   Limit("level", "concurrent", "level", 8)) + COUNTERS, zone))
        self.add(Account("model", "claude-haiku-4-5", (Limit("rpm", "requests", "bucket", 120, burst=20),) + COUNTERS))
        self.add(Account("model", "gpt-5-mini", (Limit("level", "concurrent", "level", 3),
                                                 calendar("day", "tokens", 150_000)) + COUNTERS, "Asia/Tokyo"))
        self.add(Account("tenant", TENANT, (Limit("tpm", "tokens", "bucket", 10**9),) + COUNTERS))

    def add(self, account):
        self.accounts[account.kind, account.id] = account
        return account.id

    def user(self, act, number, tier):
        zone = ZONES[(act * len(TIERS) + number) % len(ZONES)]
        team = f"team-{(act + number) % 5}" if number % 2 and tier not in ("nothing", "suspended") else ""
        return self.add(Account("user", f"a{act}-{tier}", TIERS[tier] + COUNTERS, zone, tier, team,
                                suspended=tier == "suspended", closed=tier == "closed"))

    def of_kind(self, kind):
        return [account for account in self.accounts.values() if account.kind == kind]

    def accounts_of(self, request):
        """All that a request counts on."""
        user = self.accounts["user", request.user]
        keys = [("user", user.id), ("team", user.team), ("model", request.model), ("tenant", TENANT)]
        return [self.accounts[key] for key in keys if key in self.accounts]
