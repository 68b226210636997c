"""Rounds that alternate, and figures with their spread."""
import statistics
import sys


def interleave(rounds, sides):
    """{side: [its figure of each round]} of {side: what measures it in the round of a number}.

    Every round measures all sides, every second one from the last to the first: what drifts, drifts both ways."""
    found = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[::-1 if number % 2 else 1]:
            found[name].append(sides[name](number))
    return found


def column(rows, key):
    """One figure of each round, where a round has several."""
    return [row[key] for row in rows]


def spread(values, digits=1, bold=False):
    """The median, and from where to where the rounds went."""
    low, median, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{'**' if bold else ''}{median}{'**' if bold else ''} ({low}..{high})"


def ratio(values, floors, digits=2):
    """The spread of how many times its floor each round's value was."""
    return spread([value / floor for value, floor in zip(values, floors)], digits, bold=True)


def table(title, command, rows, head=("what", "median (min..max)")):
    print(f"\n### {title}\n\n`tests/bench/run {command}`\n")
    for row in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(row), "|")
    sys.stdout.flush()
