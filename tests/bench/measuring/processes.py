"""What the kernel says of a process."""
import contextlib
import os


def cpu_seconds(pid):
    """User and system seconds of a process, from the scheduler's own account."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def _with_children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [pid, *map(int, file.read().split())]


def tree_cpu_seconds(pid):
    """Of a process and its children, also of those that have ended, which the kernel counts in ticks of 10 ms."""
    total = 0
    for one in _with_children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += cpu_seconds(one)
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        ended = file.read().rsplit(")", 1)[1].split()[13:15]
    return total + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")


def cpu_us(pids, calls, work):
    """{name: microseconds of CPU a call} of the processes {name: pid} while work() makes so many calls."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    work()
    return {name: (cpu_seconds(pid) - before[name]) / calls * 1e6 for name, pid in pids.items()}


def _memory_kib(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def resident_kib(pid):
    return _memory_kib(pid, "VmRSS")


def peak_resident_kib(pid):
    """The most that it has ever had."""
    return _memory_kib(pid, "VmHWM")
