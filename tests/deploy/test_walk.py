"""A walk through README.md, docs/operations.md, docs/admin.md and docs/tutorial.md: every command in them is run, in this order, in a fresh clone.

The commands are read from the pages (```sh, ```python and ```yaml), so whoever changes a page walks through it. What a page takes for granted,
and what cannot be run here, is said in the tables below, each row by a pattern that has to match some command. The commands build on each
other: they are run as a whole, not one alone."""
import fcntl
import os
import pathlib
import pty
import re
import select
import subprocess
import tempfile
import termios
import time

import pytest
from harness.ports import free_port
from harness.process import temp_dir

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/operations.md", "docs/admin.md", "docs/tutorial.md")
WAIT = 3000  # s: the first command builds, perhaps on a busy machine

# What is not run, and why: shown as skipped.
CANNOT = {
    r"^tests/run": "it is what runs this walk",
    r"^async with Bursar\(": "it calls OpenAI; what the packages do is tested by tests/clients",
}

# Another end than 0, and why.
ENDS = {
    r"^bursar bulk set-tier pro --tier trial +#": (2, "without --yes it shows whom it would change, and says so"),
}

# What runs until it is ended: by Ctrl-C, when it has shown something.
LIVE = (r"^(var/bin/)?bursar (top|watch)\b",)

# What is done otherwise where there is no systemd, and stores with sockets of their own.
INSTEAD = {
    r"^systemctl stop bursard": 'pid=$(cat var/run/bursard.pid); kill "$pid"; while [ -d "/proc/$pid" ]; do sleep 0.1; done',
    r"^systemctl start bursard": "deploy/local up",
    r'redis-cli -u "\$BURSAR_REDIS"': 'redis-cli -s "${BURSAR_REDIS#unix://}"',
    r"--started-at 2026-11-23": "--started-at yesterday",
    r"^bursar alert channel test ops": "bursar alert channel test ops --no-wait",  # nothing there takes alerts
}

# What the pages take for granted: done before the first command that matches.
BEFORE = {
    r"--tier trial": "bursar tier put trial requests=10/min && bursar account put tina --tier trial",
    r"leavers\.csv": "bursar account put leo && printf 'user\\nleo\\n' > leavers.csv",
    r"--team research --for": "bursar account put research --kind team && bursar account put rita --team research",
    r"^bursar proof > ": "timeout 60 sh -c 'until bursar proof; do sleep 0.2; done'",  # what was recorded just now is on its way to the ledger
    r"^bursar ledger adjust --user alice --id msg-4711": (
        "bursar record --user alice --id msg-4711 --started-at yesterday --model gpt-4o --input-tokens 1000 --output-tokens 9000"
        " && timeout 60 sh -c 'until bursar proof; do sleep 0.2; done'"),
    r"^bursar reservation show alice msg-5012": "bursar check alice --id msg-5012",
    r"report month red": "bursar account put red --kind team",
    r"--tenant acme": "bursar tenant put acme",
    r"bursar key list": ("bursar key create operator --label walk --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"secret\"])' > walk.key"
                         " && for i in 2 3 4 5 6 7; do BURSAR_KEY_FILE=walk.key bursar key create bot --tenant acme; done"),
    r"import prices\.csv": "printf 'provider,model,input_usd_per_1m,output_usd_per_1m\\nopenai,gpt-4o,2.6,10.4\\n' > prices.csv",
    r"^git commit": "git add fleet.yaml && git config user.name walk && git config user.email walk@example.com",
    r"import contract\.csv": "printf 'provider,model,input_usd_per_1m,output_usd_per_1m\\nopenai,gpt-4o,1.4,5.6\\n' > contract.csv",
}

# What would be in the way of what follows: done after every command that matches.
AFTER = {
    r"^bursar profile use work": "bursar profile delete work",
    r"^bursar account delete alice .*closed": "bursar account put alice",
}


def commands():
    """(page, number of the line, language, text) of what is in the pages' blocks: a command a line, or the whole of a program."""
    for page in PAGES:
        language, begun, lines = None, 0, []
        for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
            if language is None:
                if re.match(r"```(sh|python|yaml)$", line):
                    language, begun, lines = line[3:], number + 1, []
            elif line.startswith("```"):
                if language != "sh":
                    yield page, begun, language, "\n".join(lines) + "\n"
                language = None
            elif language != "sh":
                lines.append(line)
            elif lines or not re.match(r" *(#.*)?$", line):
                lines.append(line.removesuffix("\\"))
                if not line.endswith("\\"):
                    yield page, begun + (number - begun), language, "".join(lines)
                    lines = []


COMMANDS = list(commands())


def matching(table, text):
    return [pattern for pattern in table if re.search(pattern, text)]


class Walk:
    """The clone, and its Bursar."""

    def __init__(self):
        self.directory = temp_dir("walk") + "/bursar"
        subprocess.run(["git", "clone", "-q", str(ROOT), self.directory], check=True)
        # As it is here, with what is not committed yet.
        subprocess.run('git ls-files -z | xargs -0 sh -c \'for f; do [ ! -e "$f" ] || printf "%s\\0" "$f"; done\' _ | tar --null -T - -cf - '
                       f'| tar -xf - -C {self.directory}', shell=True, cwd=ROOT, check=True)
        self.address, self.handle, self.done, self.known = f"127.0.0.1:{free_port()}", None, set(), {}
        home = temp_dir("walk-home")
        self.env = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": "", "PATH": f"{self.directory}/var/bin:{os.environ['PATH']}",
                    "BURSAR_ADDR": self.address, "BURSAR_GRPC_LISTEN": self.address, "BURSAR_HTTP_LISTEN": f"127.0.0.1:{free_port()}", "TERM": "xterm",
                    "GIT_EDITOR": "echo a change >"}
        for name in ("BURSAR_BUILD", "LOCAL_VAR"):
            self.env.pop(name, None)

    def environment(self):
        """With the addresses of the stores, once they run, and the key, once there is one."""
        if "BURSAR_POSTGRES" not in self.env and os.path.exists(f"{self.directory}/var/run/bursard.pid"):
            where = dict(re.findall(r"^(redis|postgres) +running +\d+ +(\S+)", self.shell("deploy/local status", env=self.env)[1], re.M))
            if len(where) == 2:
                self.env["BURSAR_REDIS"] = "unix://" + where["redis"]
                self.env["BURSAR_POSTGRES"] = f"host={where['postgres']} dbname=bursar user=bursar"
        for name in ("walk.key", "operator.key"):
            if "BURSAR_KEY_FILE" not in self.env and os.path.exists(f"{self.directory}/{name}"):
                self.env["BURSAR_KEY_FILE"] = f"{self.directory}/{name}"
        return self.env

    def shell(self, text, env=None):
        """(exit code, what was said): whoever asks is answered with y."""
        master, slave = pty.openpty()
        os.write(master, b"y\n")
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            code = subprocess.run(["bash", "-o", "pipefail", "-c", text], cwd=self.directory, env=env or self.environment(), stdin=slave, stdout=out,
                                  stderr=subprocess.STDOUT, timeout=WAIT, check=False).returncode
            out.seek(0)
            said = out.read()
        os.close(slave)
        os.close(master)
        return code, said

    def live(self, text):
        """The same of what shows something until Ctrl-C: meanwhile there is something to show."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\0\x50\0\0\0\0\0")
        written = re.search(r"> *(\S+)", text.split("#")[0])
        said, ends, ended = "", time.monotonic() + 60, False
        with subprocess.Popen(["setsid", "--ctty", "bash", "-c", "exec " + text], cwd=self.directory, env=self.environment(), stdin=slave, stdout=slave,
                              stderr=slave) as command:
            os.close(slave)
            while command.poll() is None:
                assert time.monotonic() < ends, f"{text}: goes on: {said}"
                if select.select([master], [], [], 0.2)[0]:
                    try:
                        said += os.read(master, 65536).decode("utf-8", "replace")
                    except OSError:
                        break
                shows = os.path.getsize(f"{self.directory}/{written[1]}") if written else re.search("listening to|per second: ", said)
                if shows and not ended:
                    os.write(master, b"\x03")
                    ended = True
                elif not ended:
                    self.shell("bursar check walker --interface telegram")
        os.close(master)
        return command.returncode, said

    def prepare(self, text):
        for pattern in matching(BEFORE, text):
            if pattern not in self.done:
                self.done.add(pattern)
                code, said = self.shell(BEFORE[pattern])
                assert code == 0, f"before {text}: {BEFORE[pattern]}\n{said}"

    def translate(self, text):
        for pattern, other in INSTEAD.items():
            text = re.sub(pattern, lambda _, other=other: other, text)
        if self.handle:
            text = re.sub(r"\bHANDLE\b", self.handle, text)
        return text.replace("127.0.0.1:7420", self.address)

    def run(self, text):
        self.prepare(text)
        code, said = (self.live if matching(LIVE, text) else self.shell)(self.translate(text))
        handle = re.search(r"^ +handle +(\S+)", said, re.M)
        self.handle = handle[1] if handle else self.handle
        for pattern in matching(AFTER, text):
            assert self.shell(AFTER[pattern])[0] == 0, AFTER[pattern]
        return code, said

    def program(self, language, text):
        """A program of a page: Python is run, a document is one for `bursar apply`. Its first line may say what it is saved as."""
        named = re.match(r"# (\w+\.py):", text)
        name = named[1] if named else "walk.py" if language == "python" else "walk.yaml"
        pathlib.Path(self.directory, name).write_text(self.translate(text), encoding="utf-8")
        return self.shell(f"/usr/bin/python3 {name}" if language == "python" else "bursar apply -f walk.yaml --dry-run")

    def close(self):
        self.shell("deploy/local reset --yes")


@pytest.fixture(scope="module")
def walk():
    walk = Walk()
    yield walk
    walk.close()


@pytest.mark.patience(3100)
@pytest.mark.parametrize("page, line, language, text", COMMANDS, ids=[f"{page}:{line} {text.split('#')[0].strip()[:60]}" if language == "sh" else
                                                                      f"{page}:{line} {language}" for page, line, language, text in COMMANDS])
def test_a_command_of_the_pages_does_what_it_says(walk, page, line, language, text):
    for pattern in matching(CANNOT, text):
        pytest.skip(f"{page}:{line}: {text}: {CANNOT[pattern]}")
    ends = [ENDS[pattern] for pattern in matching(ENDS, text)]
    code, said = walk.run(text) if language == "sh" else walk.program(language, text)
    assert code == (ends[0][0] if ends else 0), f"{page}:{line}: {text}\nended with {code}:\n{said}"


def test_the_pages_are_walked_through_and_no_row_is_left_over():
    assert {page for page, *_ in COMMANDS} == set(PAGES)
    for table in (CANNOT, ENDS, LIVE, INSTEAD, BEFORE, AFTER):
        for pattern in table:
            assert [text for *_, text in COMMANDS if re.search(pattern, text)], f"{pattern}: matches no command of the pages any more"
