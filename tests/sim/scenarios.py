"""The loads that the pool is simulated under: what each tier offers, as parts of what the pool can serve."""
import dataclasses

SLOTS, MEAN_HOLD_S, LENGTH_S = 50, 60.0, 7200


@dataclasses.dataclass(frozen=True)
class Tier:
    name: str
    priority: int
    cap: int  # running at once, a user
    users: int
    load: float  # 1 = all the pool can serve


@dataclasses.dataclass(frozen=True)
class Burst:
    """One user of a tier asks for much at once."""
    tier: str
    at_s: float
    requests: int
    hold_s: float


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    text: str
    tiers: tuple
    burst: Burst = None

    @property
    def overloaded(self):
        return sum(tier.load for tier in self.tiers) > 1


def tiers(enterprise, pro, free):
    return (Tier("enterprise", 10, 10, *enterprise), Tier("pro", 5, 3, *pro), Tier("free", 1, 1, *free))


SCENARIOS = (
    Scenario("A", "a flood of free users", tiers((10, 0.3), (60, 0.4), (600, 1.5))),
    Scenario("B", "paying users saturate", tiers((40, 0.9), (80, 0.6), (200, 0.2))),
    Scenario("C", "one enterprise user drops 500 requests of 300 s", tiers((10, 0.3), (60, 0.2), (600, 0.2)),
             Burst("enterprise", 600, 500, 300)),
    Scenario("D", "a load of 0.78", tiers((10, 0.3), (60, 0.3), (600, 0.18))),
)
