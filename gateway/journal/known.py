"""What the event loop knows of the journal without asking the file: as of the last report."""

from collections import defaultdict

from gateway.journal.changes import Changes
from gateway.journal.held import MOST_ROWS
from gateway.journal.ledger import Ledger
from gateway.journal.row import StreamHead
from gateway.journal.tail import Tail

_TAIL_ROWS = 1000


class Known:
    """Changes on the event loop only; what it says is on the disk, or held."""

    def __init__(self, ledger: Ledger) -> None:
        """Take over what the file held when it was opened."""
        self.lineage = ledger.lineage
        self.epochs = ledger.epochs
        self.head = ledger.head
        self.first_seq = ledger.first_seq
        self.given = ledger.given
        """Consumers may be given rows up to here."""
        self.states = dict(ledger.states)
        self.places = ledger.places
        self.tail = Tail(2 * MOST_ROWS if ledger.held.on else _TAIL_ROWS)
        self.heads: defaultdict[str, dict[str, StreamHead]] = defaultdict(dict)
        for (equipment, kind), head in ledger.heads.items():
            self.heads[equipment][kind] = head

    def learn(self, changes: Changes) -> None:
        """Take in what was committed."""
        self.head, self.first_seq = changes.head, changes.first_seq
        self.given = changes.given
        self.epochs = changes.epochs
        self.states |= changes.states
        for equipment in changes.retired:
            self.states.pop(equipment, None)
        self.places = self.places if changes.places is None else changes.places
        if changes.new_epoch:
            self.heads.clear()
        for (equipment, kind), head in changes.heads.items():
            self.heads[equipment][kind] = head
        if changes.rewritten:
            self.tail.clear()
        self.tail.add(changes.rows)

    def last_seqs(self) -> dict[str, int]:
        """Return type -> newest seq of the epoch in force over all equipment, local ones apart."""
        newest: dict[str, int] = {}
        for heads in self.heads.values():
            for kind, head in heads.items():
                newest[kind] = max(head.seq, newest.get(kind, 0))
        return newest
