"""The parts of tests/bench/run, in the order in which they run. Each is a module: its first sentence is its help, run(bench) measures."""
import ast
import importlib
import pathlib

NAMES = ("server", "http", "redis", "latency", "instructions", "kinds", "reservations", "idle", "memory", "aof", "ledger", "alerts", "pool", "handoff",
         "auth", "reports", "bulk", "watch", "node", "beside")


def help_of(name):
    """Without importing the part, which needs packages that may not be installed yet."""
    path = pathlib.Path(__file__).with_name(name + ".py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]


def part(name):
    return importlib.import_module("parts." + name)
