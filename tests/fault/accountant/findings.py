"""What cannot be true together."""
import collections
import dataclasses


@dataclasses.dataclass
class Finding:
    kind: str
    text: str
    account: object = None              # of the plan
    keys: list = dataclasses.field(default_factory=list)  # (user, id) of the requests that show it
    below: bool = False                 # of a counter: it has less than the ledger


def summary(findings):
    return dict(collections.Counter(f.kind for f in findings))
