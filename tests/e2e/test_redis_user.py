"""bursard as a Redis user that may do no more than docs/operations.md says."""
import pathlib
import re

from harness import Bursard, Redis, protos
from harness.paths import ROOT
from harness.ports import free_port
from bots import Bots, unique


def rights():
    """The line of the page, without its placeholder for a password."""
    page = pathlib.Path(ROOT / "docs/operations.md").read_text()
    return re.search(r"ACL SETUSER bursar on >PASSWORD ([^`]*)", page)[1].split()


def test_the_rights_that_the_page_names_are_enough(postgres):
    port = free_port()
    redis = Redis(settings={"port": port})
    redis.client.execute_command("ACL", "SETUSER", "bursar", "on", ">secret", *rights())
    server = Bursard(f"redis://bursar:secret@127.0.0.1:{port}", postgres)
    bots, user = Bots(protos, server.grpc_addr), unique("user")
    stream = bots.admin.Watch(protos.admin_pb2.WatchRequest(user=user), timeout=60)
    for answer in stream:  # one at the least every second
        if answer.events:
            break
        bots.check(user, input_tokens=5)
    stream.cancel()
    bots.record(bots.check(unique("user"), input_tokens=5), input_tokens=5)
    acquired = bots.limiter.Acquire(bots.limiter_pb.AcquireRequest(check=bots.request(unique("user"))), timeout=20)
    assert any(message.HasField("granted") for message in [next(acquired)])
    acquired.cancel()
    bots.admin.SetTier(bots.admin_pb.SetTierRequest(ref=bots.key(user), tier="pro"), timeout=20)
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(user)), timeout=20)
    bots.admin.AdjustLedger(bots.admin_pb.AdjustLedgerRequest(user=user, cost_nano_usd=1, reason="test"), timeout=20)
    bots.drained()
    found = {check.name: check for check in bots.admin.Diagnose(protos.admin_pb2.DiagnoseRequest(), timeout=20).checks}
    assert found["redis"].finding == found["eviction"].finding == found["outbox"].finding == 1 and "unknown" not in found["eviction"].found
    bots.close()
    server.stop()
    assert "NOPERM" not in server.log()
    redis.kill()
