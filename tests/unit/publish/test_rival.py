from datetime import UTC, datetime

import orjson
import pytest

from gateway.journal.lineage import Life, Lineage, Rival
from gateway.publish.pump import CURSOR
from gateway.publish.rival import rival
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.publishing import count

EARLIER, LATER = "t5k2m0-0000", "t5k2m1-0000"
HEALTH = {
    "at": "2026-03-20T01:00:00.000Z",
    "epoch": EPOCH,
    "life": "1-before",
    "last_seq": {"status": 5, "count": 9},
}
SPOKE = datetime(2026, 3, 20, 1, tzinfo=UTC)


async def journal_of(*, end: int, head: int, sent: int) -> FakeJournal:
    """A journal whose life before this one ended at ``end``."""
    journal = FakeJournal()
    journal.lineage = Lineage((Life(1, "1-before", 0), Life(2, "2-now", end)))
    journal.commit("press-03", *(count(n) for n in range(head)))
    await journal.advance(CURSOR, sent)
    return journal


@pytest.mark.parametrize(
    ("said", "shared"),
    [
        ({}, 8),  # one event more than the journal has of that life
        ({"life": "1-elsewhere"}, 3),
        ({"life": "1-elsewhere", "last_seq": {}}, 3),
        ({"epoch": LATER}, 8),
        ({"epoch": LATER, "life": "7-elsewhere", "last_seq": {"count": 2}}, 3),
    ],
)
async def test_a_rival_is_known_however_far_we_are(said: dict[str, object], shared: int) -> None:
    journal = await journal_of(end=8, head=100, sent=3)
    health = HEALTH | said
    expected = Rival(str(health["epoch"]), shared, SPOKE)
    assert rival(orjson.dumps(health), journal) == expected


@pytest.mark.parametrize(
    "said",
    [
        {"last_seq": {"count": 8}},
        {"life": "2-now", "last_seq": {"count": 99}},
        {"life": None},  # it spoke before lives had names
        {"epoch": EARLIER, "life": "1-elsewhere"},
        {"epoch": "z5k2m1-0000"},
        {"epoch": 7},
        {"last_seq": [99]},
        {"last_seq": {"count": "99"}},
    ],
)
async def test_what_proves_nothing_changes_nothing(said: dict[str, object]) -> None:
    journal = await journal_of(end=8, head=100, sent=3)
    assert rival(orjson.dumps(HEALTH | said), journal) is None


@pytest.mark.parametrize("noise", [None, b"", b"\xff", b"[1]", b"{}"])
def test_noise_proves_nothing(noise: bytes | None) -> None:
    assert rival(noise, FakeJournal()) is None


async def test_what_was_sent_before_it_was_noticed_stays_as_it_is() -> None:
    journal = await journal_of(end=8, head=100, sent=50)
    found = rival(orjson.dumps(HEALTH | {"at": "noon"}), journal)
    assert found == Rival(EPOCH, 50, None)


async def test_it_counts_what_spoke_before_lives_had_names() -> None:
    journal = await journal_of(end=0, head=8, sent=3)
    found = rival(orjson.dumps({"epoch": EPOCH, "last_seq": {"count": 9}}), journal)
    assert found == Rival(EPOCH, 3, None)
