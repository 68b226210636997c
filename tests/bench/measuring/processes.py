"""What the kernel says of a process."""
import os


def cpu_seconds(pid):
    """User and system seconds of a process, from the scheduler's own account."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def cpu_us(pids, calls, work):
    """{name: microseconds of CPU a call} of the processes {name: pid} while work() makes so many calls."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    work()
    return {name: (cpu_seconds(pid) - before[name]) / calls * 1e6 for name, pid in pids.items()}


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
