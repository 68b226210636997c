"""Many accounts changed while bots check them: the client killed, the server killed, and the run repeated."""
import os
import random
import subprocess
import threading

import grpc
import pytest

from harness import program, until
from harness import protos
from bots import Bots


class Load:
    """Bots that check all the time at one bursard, whoever of the accounts it is."""

    def __init__(self, server, users):
        self.bots, self.users, self.failures, self.answers, self.stopping = Bots(protos, server.grpc_addr), users, [], 0, False
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def run(self):
        pb = self.bots.limiter_pb
        while not self.stopping:
            request = pb.CheckBatchRequest(items=[self.bots.request(user) for user in random.sample(self.users, 20)])
            try:
                answer = self.bots.limiter.CheckBatch(request, timeout=30)
                self.failures += [item.error.message for item in answer.items if item.HasField("error")]
                self.answers += len(answer.items)
            except grpc.RpcError as error:
                self.failures.append(error)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        self.bots.close()


def bulk(server, prefix):
    return subprocess.Popen([program("bursar"), "bulk", "set-tier", "pro", "--prefix", prefix, "--yes", "--reason", "mass", "--json"],
                            env={"PATH": os.environ["PATH"], "BURSAR_ADDR": server.grpc_addr}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def tiers_seen(bots, users):
    seen = set()
    for at in range(0, len(users), 500):
        request = bots.limiter_pb.CheckBatchRequest(items=[bots.request(user) for user in users[at:at + 500]])
        seen |= {item.response.tier for item in bots.limiter.CheckBatch(request, timeout=120).items}
    return seen


@pytest.mark.parametrize("count", [5000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_accounts_are_changed_once_each_under_load_whoever_is_killed(start_bursard, postgres, count):
    first, second = (start_bursard(workers=2, new_users_per_minute=10**8) for _ in range(2))
    users = [f"mass-{i:06}" for i in range(count)]
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts (tenant, kind, id, tier) SELECT 'default', 1, 'mass-' || lpad(i::text, 6, '0'), 'free' "
                       "FROM generate_series(0, %s) AS i", (count - 1,))
        connection.commit()
    changed = lambda: postgres.value("SELECT count(*) FROM accounts WHERE tier = 'pro'")  # noqa: E731
    loads = [Load(first, users), Load(second, users)]
    try:
        until(lambda: all(load.answers > 200 for load in loads), "bots being answered")
        run = bulk(first, "mass-")
        until(lambda: changed() > 0, "some being changed")
        run.kill()
        run.communicate()
        so_far = until(lambda: (now := changed()) == changed() and now, "the server having seen it")
        assert 0 < so_far < count
        run = bulk(second, "mass-")
        until(lambda: changed() > so_far, "more being changed")
        second.kill()
        run.communicate(timeout=120)
        assert run.returncode != 0 and so_far < changed() < count
        second.start()
        out, err = bulk(first, "mass-").communicate(timeout=500)
        assert b'"failed": 0' in out, err
        until(lambda: loads[0].answers > 400, "bots being answered to the end")
    finally:
        for load in loads:
            load.stop()
    assert not loads[0].failures  # those at the killed one failed
    assert changed() == count
    assert postgres.value("SELECT count(*) FROM audit_log WHERE reason = 'mass'") == count
    assert postgres.value("SELECT count(DISTINCT target) FROM audit_log WHERE reason = 'mass' AND details->>'tier' = 'pro'") == count
    until(lambda: postgres.value("SELECT count(*) FROM policy_changes") == 0, "Redis having all of it", timeout=120)
    sample = users if count <= 5000 else random.sample(users, 10_000)
    for server in (first, second):
        bots = Bots(protos, server.grpc_addr)
        assert tiers_seen(bots, sample) == {"pro"}
        bots.close()
