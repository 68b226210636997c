"""Rows a second of the ledger writer, beside a COPY of the same rows into the same table."""
import json
import subprocess

from measuring.figures import column, ratio, spread, table


def run(bench):
    database = bench.database()
    rounds = []
    for _ in range(bench.rounds):  # each measures the writer, then the COPY
        said = subprocess.run([bench.program("ledger_writer"), database.conninfo], check=True, stdout=subprocess.PIPE, text=True).stdout
        rounds.append([json.loads(line) for line in said.splitlines()])
    with_copy, alone, together = [], None, []
    for figures in zip(*rounds):
        if "users" in figures[0]:
            writer, copy = column(figures, "writer_per_second"), column(figures, "copy_per_second")
            by_cpu = ratio(column(figures, "copy_cpu_us"), column(figures, "writer_cpu_us"))
            with_copy.append((f"{figures[0]['users']:,}", spread(writer, 0), spread(copy, 0), ratio(writer, copy), by_cpu))
        else:
            several = column(figures, "per_second")
            alone = alone or several
            together.append((str(figures[0]["writers"]), spread(several, 0), ratio(several, alone), spread(column(figures, "cpu_us"))))
    table("Ledger writer", "ledger", with_copy, ("users", "writer, rows/s", "COPY, rows/s", "**writer / COPY**", "by PostgreSQL's CPU"))
    table("Several writers, 100,000 users", "ledger", together, ("writers", "rows/s", "of one writer", "PostgreSQL's CPU, µs a row"))
