"""What the e2e and fault tests stand on: private servers, a clock to move, stubs of the protos.

    from harness import Bursard, Clock, Postgres, Redis, connect
    from harness.protos import limiter_pb2

Nothing here sleeps for a fixed time, uses a usual port or leaves a process behind.
"""
from .bursard import Bursard, connect
from .clock import Clock
from .command import run_bursar
from .paths import program
from .postgres import Database, Postgres
from .proxy import Proxy
from .redis_server import Redis
from .refusing import Refusing
from .wait import until

__all__ = ["Bursard", "Clock", "Database", "Postgres", "Proxy", "Redis", "Refusing", "connect", "program", "run_bursar", "until"]
