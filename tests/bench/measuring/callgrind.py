"""Servers under callgrind: how many instructions some work costs them."""
import pathlib
import re
import shutil
import subprocess

import harness


class Counted:
    """Mixed into a Process. Counts nothing until count() is called for the first time, so starting up is left out."""

    def spawn(self, argv, env=None, user=None):
        self.folder = pathlib.Path(harness.process.temp_dir("callgrind"))
        self.counting = False
        super().spawn([shutil.which("valgrind"), "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes",
                       f"--callgrind-out-file={self.folder}/out", *argv], env, user)

    def control(self, *words):
        done = subprocess.run(["callgrind_control", *words, str(self.pid)], capture_output=True, text=True, check=False)
        if done.returncode or "OK" not in done.stdout:
            raise RuntimeError(f"callgrind_control {' '.join(words)}: {done.stdout}{done.stderr}")

    def _dump(self):
        """Instructions since the last dump."""
        self.control("--dump")
        dump = max(self.folder.glob("out.*"), key=lambda path: int(path.suffix[1:]))
        total = int(re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.M)[1])
        dump.unlink()
        return total

    def count(self, work):
        """The instructions of all threads while work() runs."""
        if not self.counting:
            self.control("--instr=on")
            self.counting = True
        self._dump()
        work()
        return self._dump()


class CountedBursard(Counted, harness.Bursard):
    pass


class CountedRedis(Counted, harness.Redis):
    pass


class CountedProcess(Counted, harness.process.Process):
    pass
