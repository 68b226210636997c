"""What is printed of the runs, what is asked of them, and how they are drawn."""
from scenarios import LENGTH_S, SLOTS
from world import BUCKET_S

COLOURS = {"enterprise": "#1f5fa8", "pro": "#e0862d", "free": "#6aa84f"}
WIDTH, HEIGHT, LEFT, TOP = 640, 260, 60, 34


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def jain(values):
    values = list(values)
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


HEAD = ("scenario", "seed", "use of slots", "tier", "came", "granted", "wait p50 / p99 / max, s", "share of seat time, %",
        "refused at once, %", "timed out, %", "Jain index")


def rows(world, seed):
    for at, (name, seen) in enumerate(world.seen.items()):
        first = (world.scenario.name, str(seed), f"{world.utilisation():.3f}") if at == 0 else ("", "", "")
        waits = " / ".join(f"{quantile(seen.waits, part):.0f}" for part in (0.5, 0.99, 1))
        yield (*first, name, str(seen.came), str(len(seen.waits)), waits, f"{world.share(name):.1f}",
               f"{100 * seen.refused / max(1, seen.came):.0f}", f"{100 * seen.timed_out / max(1, seen.came):.1f}",
               f"{jain(seen.by_user.values()):.2f}")


def table(runs):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for seed, world in runs:
        lines += ["| " + " | ".join(row) + " |" for row in rows(world, seed)]
    return "\n".join(lines)


def gates(world):
    """(what is asked, whether it holds, what was seen)."""
    longest = max(max(seen.waits, default=0) for seen in world.seen.values())
    yield "never more run than there are slots", world.most <= SLOTS, f"{world.most} of {SLOTS}"
    yield "no granted request waited over 300 s", longest <= 300, f"{longest:.1f} s"
    yield "an aged head is served by the 5th grant", world.lane_kept(), f"{world.lane.longest} ({world.lane.heads} heads)"
    if world.scenario.overloaded:
        yield "at least 0.995 of the slots are used", world.utilisation() >= 0.995, f"{world.utilisation():.4f}"
    if world.scenario.name == "A":
        p99 = quantile(world.seen["enterprise"].waits, 0.99)
        yield "enterprise waits at most 40 s at p99", p99 <= 40, f"{p99:.1f} s"
    if world.scenario.name == "B":
        for name, entitled in (("enterprise", 62.5), ("pro", 31.25), ("free", 6.25)):
            share = world.share(name)
            yield f"{name} has its share of {entitled} %, within 2.5 points", abs(share - entitled) <= 2.5, f"{share:.2f} %"
    if world.scenario.burst:
        p99 = quantile(world.others, 0.99)
        yield "others of the tier do not feel one user's burst: p99 at most 10 s", p99 <= 10, f"{p99:.1f} s"


# Pictures: plain SVG, readable on light and dark pages.

def svg(title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
            f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{title}</text>\n' + "\n".join(body) + "\n</svg>\n")


def frame(marks_x, marks_y, label_x, label_y):
    """Axes with marks: (place in 0..1, text)."""
    right, bottom = WIDTH - 20, HEIGHT - 40
    yield f'<path d="M{LEFT} {TOP} V{bottom} H{right}" fill="none" stroke="#444444"/>'
    for part, mark in marks_x:
        x = LEFT + part * (right - LEFT)
        yield f'<text x="{x:.0f}" y="{bottom + 15}" text-anchor="middle">{mark}</text>'
    for part, mark in marks_y:
        y = bottom - part * (bottom - TOP)
        yield f'<path d="M{LEFT} {y:.0f} H{right}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{mark}</text>'
    yield f'<text x="{(LEFT + right) // 2}" y="{HEIGHT - 8}" text-anchor="middle">{label_x}</text>'
    yield f'<text x="14" y="{(TOP + bottom) // 2}" text-anchor="middle" transform="rotate(-90 14 {(TOP + bottom) // 2})">{label_y}</text>'


def line(points, colour):
    right, bottom = WIDTH - 20, HEIGHT - 40
    path = " ".join(f"{LEFT + x * (right - LEFT):.1f},{bottom - y * (bottom - TOP):.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def legend(names):
    for at, name in enumerate(names):
        x = WIDTH - 300 + 100 * at
        yield f'<path d="M{x} 14 h18" stroke="{COLOURS[name]}" stroke-width="3"/><text x="{x + 22}" y="18">{name}</text>'


def draw_waits(world):
    """Which part of a tier's granted requests had waited so long at most."""
    body = list(frame([(at / 5, f"{60 * at}") for at in range(6)], [(at / 4, f"{25 * at} %") for at in range(5)],
                      "waited at most, s", "of the granted requests"))
    for name, seen in world.seen.items():
        points = [(wait / 300, sum(1 for each in seen.waits if each <= wait) / max(1, len(seen.waits))) for wait in range(0, 301, 3)]
        body.append(line(points, COLOURS[name]))
    return svg(f"{world.scenario.name}: wait by tier", body + list(legend(world.seen)))


def draw_shares(world):
    """Each tier's part of the seat time, over the simulated two hours."""
    buckets = LENGTH_S // BUCKET_S
    body = list(frame([(at / 4, f"{LENGTH_S * at // 240}") for at in range(5)], [(at / 4, f"{25 * at} %") for at in range(5)],
                      "minutes", "share of the slots"))
    for name, seen in world.seen.items():
        points = [((at + 0.5) / buckets, seen.by_bucket[at] / BUCKET_S / SLOTS) for at in range(buckets)]
        body.append(line(points, COLOURS[name]))
    return svg(f"{world.scenario.name}: share over time", body + list(legend(world.seen)))
