"""What the command line shows on a narrow terminal: tables that fit it, and nothing of an id lost."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

import pytest

from harness import program

LONG = "telegram-" + "0123456789" * 11 + "abcdefg"
WIDE = "数据分析机器人" * 4
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.fixture
def screen(bursard):
    """screen("status", "alice", columns=80): the lines that a terminal of so many columns gets, without colours."""

    def show(*args, columns=80):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr, "TERM": "xterm", "TZ": "UTC"}
        command = subprocess.Popen([program("bursar"), *args], stdin=slave, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        seen = b""
        try:
            while part := os.read(master, 4096):
                seen += part
        except OSError:  # how a terminal says that nobody writes to it any more
            pass
        os.close(master)
        assert command.wait(60) == 0, seen
        return COLOUR.sub("", seen.decode()).replace("\r", "").splitlines()

    return show


@pytest.fixture
def many(bots):
    """Accounts with ids of every kind."""
    bots.account("research", kind="TEAM")
    for user in (LONG, WIDE, "alice"):
        bots.account(user, tier="pro", team="research")
        bots.check(user, interface="telegram", model="gpt-4o", input_tokens=100)
    return bots


def column(lines, title):
    """What stands in a column of a table, its wrapped lines joined."""
    head = next(line for line in lines if title in line.split())
    begin = head.index(title)
    end = next((m.start() for m in re.finditer(r"\S+", head) if m.start() > begin), None)
    cells = []
    for line in lines[lines.index(head) + 1:]:
        at, cell = 0, ""
        for character in line:
            cell += character if at >= begin and (end is None or at < end - 1) else ""
            at += width(character)
        cells.append(cell.strip())
    return "".join(cells)


@pytest.mark.parametrize("args", [
    ("account", "list"), ("status", LONG), ("status", WIDE), ("audit",), ("tier", "show", "free"), ("tier", "list"), ("price", "list", "--prefix", "gpt-5"),
    ("stats",), ("tenant", "list"), ("pool", "list"), ("tier", "show", "pro"), ("account", "--help"), ("account", "erase", "--help"), ("--help",)])
def test_a_table_fits_eighty_columns(many, screen, args):
    lines = screen(*args)
    assert len(lines) > 1
    heading = args[0] == "status"  # the id, however long
    assert [line for line in lines[heading:] if width(line) > 80] == []


def test_nothing_of_a_long_id_is_lost(many, screen):
    ids = column(screen("account", "list"), "ID")
    assert LONG in ids and WIDE in ids and "\\x" not in ids


def test_a_column_in_which_nothing_stands_is_left_out(many, screen):
    assert "ORG" not in screen("account", "list")[0].split() and "RETRY" not in screen("status", "alice")[1].split()


def test_help_is_as_wide_as_the_terminal(screen):
    assert max(map(width, screen("account", "bypass", "--help", columns=60))) <= 66  # options have their column
    assert 90 < max(map(width, screen("account", "bypass", "--help", columns=200))) <= 100
