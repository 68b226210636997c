"""What happens to the stores and the bursards, and which failures a caller may see of each.

A fault is over when everything runs again; until every bursard has decided exactly again, a caller may still see its traces. How long
a stall lasts is a part of the fault, not a wait for anything."""
import signal
import threading

from .books import Fault, Loss, now_us

# A caller's own deadline may pass at any time. UNAVAILABLE is safe to repeat, and said when the store or the bursard cannot be reached.
# What is not here is not allowed: INTERNAL and UNKNOWN never, nor CANCELLED, which only a caller can cause.
SLOW, AWAY = {"DEADLINE_EXCEEDED"}, {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
STATUSES = {
    "kill-bursard": AWAY, "stop-bursard": AWAY, "stall-bursard": AWAY, "start-without-redis": AWAY,
    "stall-redis": AWAY, "pause-redis": AWAY, "kill-redis": AWAY, "restart-redis": AWAY, "kill-redis-clients": AWAY,
    "flushall": AWAY, "drop-redis-link": AWAY, "freeze-redis-link": AWAY, "drop-callers": AWAY,
    # Checks and records go on without PostgreSQL.
    "stall-postgres": SLOW, "restart-postgres-fast": SLOW, "restart-postgres-immediate": SLOW, "kill-postgres": SLOW,
    "drop-postgres-links": SLOW,
}
# But a record without a marker, where Redis is younger than the request, has to ask the ledger.
OF_RECORDS = {name: AWAY for name in STATUSES if "postgres" in name and name != "drop-postgres-links"}


# A bursard of little patience may meet a Redis that is slow because the machine is: only this one is held to "nothing else is allowed".
PATIENT = 2


def allowed_statuses(faults, call):
    allowed = {**STATUSES, **OF_RECORDS} if call.kind == "record" else STATUSES
    always = SLOW if call.server == PATIENT else AWAY
    return set().union(always, *(allowed[fault.name] for fault in faults))


def kill_bursard(world, dice, server):
    world.servers[server].kill()
    world.servers[server].start()


def stop_bursard(world, dice, server):
    world.servers[server].stop()
    world.servers[server].start()


def stall_bursard(world, dice, server):
    world.servers[server].signal(signal.SIGSTOP)
    pause(dice.uniform(0.1, 2))
    world.servers[server].signal(signal.SIGCONT)


def start_without_redis(world, dice, server):
    """It begins to decide while it has never seen Redis."""
    world.servers[server].kill()
    world.redis.kill()
    world.servers[server].start(wait=False)
    pause(dice.uniform(1, 3))
    world.start_redis()
    world.servers[server].wait_ready(120)


def stall_redis(world, dice, _):
    world.redis.signal(signal.SIGSTOP)
    pause(dice.choice([0.06, 0.15, 0.3, 0.6, 1.5]))
    world.redis.signal(signal.SIGCONT)


def pause_redis(world, dice, _):
    world.redis.client.execute_command("CLIENT", "PAUSE", dice.choice([60, 200, 700]), dice.choice(["ALL", "WRITE"]))
    world.redis.client.set("the-end-of-the-pause", 1)


def kill_redis(world, dice, _):
    world.redis.kill()
    pause(dice.choice([0, 0.3, 1]))
    world.start_redis()


def restart_redis(world, dice, _):
    world.redis.terminate(60)
    world.start_redis()


def kill_redis_clients(world, dice, _):
    for _ in range(dice.choice([1, 5])):
        world.redis.client.execute_command("CLIENT", "KILL", "TYPE", "normal")
        pause(0.05)


def flushall(world, dice, _):
    drained = world.drained()
    begin = now_us()
    world.redis.client.flushall()
    world.books.losses.append(Loss(begin, now_us(), drained))


def drop(proxy, dice):
    for _ in range(dice.choice([1, 5])):
        proxy.drop()
        pause(0.05)


def drop_redis_link(world, dice, _):
    drop(world.redis_proxy, dice)


def freeze_redis_link(world, dice, _):
    world.redis_proxy.freeze()
    pause(dice.choice([0.3, 1, 6]))
    if dice.random() < 0.5:
        world.redis_proxy.drop()
    world.redis_proxy.thaw()


def drop_callers(world, dice, _):
    drop(world.caller_proxy, dice)


def stall_postgres(world, dice, _):
    world.postgres.stall()
    pause(dice.choice([0.3, 1, 3]))
    world.postgres.resume()


def restart_postgres_fast(world, dice, _):
    world.postgres.stop()
    pause(dice.choice([0, 1]))
    world.postgres.start()


def restart_postgres_immediate(world, dice, _):
    world.postgres.signal(signal.SIGQUIT)
    world.postgres.wait(60)
    world.postgres.start()


def kill_postgres(world, dice, _):
    world.postgres.restart()


def drop_postgres_links(world, dice, _):
    world.postgres.execute("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                           world.database.name)


LOSSES = [flushall]
STALLS = [stall_redis, pause_redis, stall_bursard]
OF_A_SERVER = {kill_bursard: None, stop_bursard: None, stall_bursard: None, start_without_redis: None,
               drop_redis_link: 2, freeze_redis_link: 2, drop_callers: 1}  # which, where only one has it
FAULTS = [kill_bursard, stop_bursard, stall_bursard, start_without_redis, stall_redis, pause_redis, kill_redis, restart_redis,
          kill_redis_clients, drop_redis_link, freeze_redis_link, drop_callers, stall_postgres, restart_postgres_fast,
          restart_postgres_immediate, kill_postgres, drop_postgres_links]


ANSWERS = 25  # EXACT ones of each bursard, and it has recovered


def pause(seconds):
    threading.Event().wait(seconds)


def schedule(dice, count, faults, losses):
    """Each fault about as often as any other. Data are lost in the last third alone: what was promised before is judged in full."""
    drawn = []
    while len(drawn) < count:
        drawn += dice.sample(faults, len(faults))
    drawn = drawn[:count]
    for n in range(losses):
        drawn.insert(count - (n + 1) * count // (3 * losses + 1), dice.choice(LOSSES))
    return drawn


def strike(world, dice, fault):
    """One fault, until all have recovered from it; the name of a bursard that has not is a complaint."""
    server = OF_A_SERVER.get(fault, "all")
    server = None if server == "all" else dice.randrange(len(world.servers)) if server is None else server
    entry = Fault(fault.__name__.replace("_", "-"), now_us(), None if fault is start_without_redis else server)
    world.books.faults.append(entry)
    fault(world, dice, server)
    entry.end = now_us()
    stuck = world.books.wait_for_exact(range(len(world.servers)), ANSWERS, 120)
    entry.healed = now_us()
    if stuck:
        world.books.complaints.append(f"bursards {stuck} decided nothing exactly for 120 s after {entry}")
