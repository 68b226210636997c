"""Waiting for something to become true."""
import time


def until(condition, what, timeout=30.0, alive=None):
    """Calls condition() until it returns something true, and returns that. Raises TimeoutError naming `what`.
    Exceptions of the condition count as "not yet". `alive`, a Process, ends the wait early when it has ended."""
    deadline = time.monotonic() + timeout
    last = None
    pause = 0.005
    while time.monotonic() < deadline:
        try:
            answer = condition()
            if answer:
                return answer
        except Exception as error:  # whatever it is, the deadline decides
            last = error
        if alive is not None and not alive.running():
            raise RuntimeError(f"{alive.name} ended with {alive.popen.returncode} while we waited for {what}:\n"
                               + alive.log()[-4000:])
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    raise TimeoutError(f"{what}: not within {timeout:g} s" + (f" (last: {last})" if last else ""))
