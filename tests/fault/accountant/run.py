"""One run: callers, faults, quiet, verdict."""
import os
import random

from . import callers, evidence, faults, verdict
from .books import now_us
from .world import World


def seed():
    return int(os.environ.get("BURSAR_SEED", "7"))


def close_books(run_seed, count, losses=0, acts=10, kinds=None, ttl_us=20_000_000, scripts=None, unread_may_stay=False):
    """Runs `count` faults and `losses` of Redis's data, and returns what was found. The same seed gives the same faults and the same
    requests; how they meet is up to the machine. `unread_may_stay`: a check may stay open for each answer that had left."""
    world = World(acts)
    try:
        dice, begin = random.Random(run_seed), now_us()
        stage = callers.Stage(world, run_seed, ttl_us, scripts or callers.SCRIPTS)
        stage.start()
        plan = faults.schedule(dice, count, kinds or faults.FAULTS, losses)
        for number, fault in enumerate(plan):
            stage.act = number * acts // len(plan)
            faults.strike(world, dice, fault)
        stage.stop()
        found = evidence.collect(world, begin, unread_may_stay)
        if world.books.losses or not evidence.below_the_ledger(world, found):
            found = evidence.reconciled(world, found)
        findings = verdict.judge(world.plan, world.books, found)
        if unread_may_stay:
            findings = verdict.without_unread(findings, world.checks_unread(), found)
        print(f"\naccountant: seed {run_seed}: {verdict.figures(world.books, found, findings)}")
        if findings:
            print(verdict.report(world.books, found, findings, run_seed))
        return findings
    finally:
        world.close()
