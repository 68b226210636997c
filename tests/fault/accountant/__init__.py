"""An accountant that knows nothing of Bursar's inside. Callers ask, Bursar answers, both is written down as it happens (books.py);
faults come meanwhile (faults.py). When all is quiet, the ledger and the answers of GetStatus are read (evidence.py), and verdict.py
says what of it cannot be true together. Everything here speaks gRPC and SQL over documented tables, and nothing else.

    plan.py      who there is: users, teams, models, limits
    books.py     what was asked, answered and acknowledged
    callers.py   fifty callers, and the scripts that their requests follow
    world.py     the stores and the three bursards
    faults.py    what happens to them, and which failures a caller may see of each
    amounts.py   how much of a limit a request takes up for certain, at any time
    admitted.py  EXACT is never over a limit
    ledger.py    acknowledged = ledger = roll-ups = counters
    answers.py   answers that contradict each other, or that nobody may get
    evidence.py  reads ledger, roll-ups and counters
    verdict.py   all of it, and what is known about a finding
"""
