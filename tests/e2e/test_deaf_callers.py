"""Callers that never take their answers do not keep them, nor their places among the calls, for ever."""
import pytest

from bots import Bots
from harness import protos
from harness.http2 import Deaf

CALLS = 20


@pytest.fixture
def deaf():
    """deaf(server, path, message): as many calls as the server holds, whose answers are never taken."""
    opened = []

    def call(server, path, message):
        opened.append(Deaf(server.grpc_addr, path, [message.SerializeToString()] * CALLS))
        return opened[-1]

    yield call
    for one in opened:
        one.close()


@pytest.mark.parametrize("path", ["/bursar.v1.Limiter/GetStatus", "/bursar.v1.Admin/WatchPool"])
def test_an_answer_that_nobody_takes_is_dropped_and_makes_room(start_bursard, until, deaf, path):
    server = start_bursard(workers=1, max_calls=CALLS, answer_timeout_ms=500)
    message = protos.limiter_pb2.GetStatusRequest(user="ann") if path.endswith("Status") else protos.admin_pb2.GetPoolStatsRequest()
    caller = deaf(server, path, message)
    until(lambda: caller.ended == CALLS)
    assert server.metric("answers_dropped_total", why="late") == CALLS
    fleet = Bots(protos, server.grpc_addr)
    until(lambda: fleet.check("ann").allowed)
    fleet.close()


def test_batches_that_wait_for_their_turn_are_all_answered_in_order(start_bursard):
    server = start_bursard(workers=1)
    fleet = Bots(protos, server.grpc_addr)
    pb = fleet.limiter_pb
    batches = [[fleet.request(f"user-{batch}-{item}", request_id=f"{batch}-{item}") for item in range(size)]
               for batch, size in enumerate([1000, 1000, 1, 1000, 1000, 1000, 7, 1000])]
    pending = [fleet.limiter.CheckBatch.future(pb.CheckBatchRequest(items=items), timeout=120) for items in batches]
    for items, answer in zip(batches, pending):
        assert [item.response.request_id for item in answer.result().items] == [item.request_id for item in items]
        assert all(item.response.allowed for item in answer.result().items)
    fleet.close()
