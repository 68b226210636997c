"""Transcripts: what somebody sees who types commands. One is a text of these lines:

    # a remark, until the first command
    $ bursar status alice           typed into a shell, in a directory of the transcript's own
    @ 90 s pass                     something happens; the words are the test's
    ! bursar: cannot reach ...      what the command above says on standard error
    = 3                             its exit code, where that is not 0
    anything else                   what it says on standard output
"""
import os
import re
import subprocess

PLAIN = re.compile(r"[$@!=](?: |$)")  # what a line of standard output must not begin with
CALL = re.compile(r"""(?<![\w/.-])bursar((?: +(?:'[^']*'|"[^"]*"|[^\s'"|;&)])+)*)""")


def typed(text):
    """(the remark, [("$" or "@", words)]) of a transcript, whatever was answered."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line[:2] in ("$ ", "@ ")), len(lines))
    return lines[:first], [(line[0], line[2:]) for line in lines if line[:2] in ("$ ", "@ ")]


def commands(text):
    """The words behind each `bursar` that is typed."""
    for kind, line in typed(text)[1]:
        if kind == "$":
            for call in CALL.findall(line):
                yield call.split()


class Shell:
    """Types lines. `masks`: [(pattern, replacement)] for what differs from run to run."""

    def __init__(self, directory, env, masks):
        self.directory, self.env, self.masks = directory, env, masks

    def masked(self, text):
        for pattern, replacement in self.masks:
            text = re.sub(pattern, replacement, text)
        return text

    def type(self, line):
        """What is seen, as lines of a transcript."""
        done = subprocess.run(["bash", "-c", line], cwd=self.directory, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
                              text=True, capture_output=True, timeout=120, check=False)
        out = self.masked(done.stdout).splitlines()
        assert not any(PLAIN.match(seen) for seen in out), f"{line}: would not be told from the transcript's own lines"
        err = ["! " + seen if seen else "!" for seen in self.masked(done.stderr).splitlines()]
        return [*out, *err, *([f"= {done.returncode}"] if done.returncode else [])]
