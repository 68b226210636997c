"""The command line, run as a person runs it, but in an environment of its own."""
import os
import subprocess

from .paths import program


def run_bursar(address, *args, stdin=None, timeout=120, check=False, **env):
    """bursar ARGS... at that address: the finished process. `env`: further variables."""
    return subprocess.run([program("bursar"), *map(str, args)], capture_output=True, text=True, timeout=timeout, check=check, input=stdin,
                          env={"PATH": os.environ["PATH"], "BURSAR_ADDR": address, "TZ": "UTC", **env})
