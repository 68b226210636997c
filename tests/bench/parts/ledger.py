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
    rows = []
    for figures in zip(*rounds):
        writer, copy = column(figures, "writer_per_second"), column(figures, "copy_per_second")
        rows.append((f"{figures[0]['users']:,}", spread(writer, 0), spread(copy, 0), ratio(writer, copy)))
    table("Ledger writer", "ledger", rows, ("users", "writer, rows/s", "COPY, rows/s", "**writer / COPY**"))
