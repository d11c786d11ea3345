from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.lineage import Lineage


def grown(lineage: Lineage, heads: list[int], seed: int) -> Lineage:
    """As after an opening of the journal at each of these heads."""
    chance = Random(seed)
    for head in heads:
        life = lineage.draw(head, chance.randrange)
        lineage = Lineage((*lineage.lives, life))
    return lineage


def test_a_life_ends_where_the_next_one_begins() -> None:
    lineage = grown(Lineage(), [0, 10, 10, 30], seed=1)
    first, second, third, present = (life.name for life in lineage.lives)
    assert [lineage.end_of(name) for name in (first, second, third)] == [10, 10, 30]
    assert (lineage.end_of(present) or 0) > 10**15
    assert lineage.end_of("1-elsewhere") is None
    assert lineage.life == present


def test_before_the_first_use_there_is_no_life() -> None:
    assert Lineage().life == ""
    assert Lineage().end_of("") is None


HEADS = st.lists(st.integers(0, 100), min_size=1, max_size=5).map(sorted)


@given(before=HEADS, own=st.integers(0, 50), theirs=st.integers(0, 50), seed=st.integers(0, 9))
def test_what_was_written_after_a_backup_is_known_by_its_life(
    before: list[int], own: int, theirs: int, seed: int
) -> None:
    """The original went on to ``theirs`` further events; the backup is at ``backup``."""
    original = grown(Lineage(), before, seed)
    backup = before[-1] + own
    restored = grown(original, [backup], seed + 1)
    end = restored.end_of(original.life)
    assert end == backup
    assert (backup + theirs > end) is (theirs > 0)
    restarted = grown(original, [backup], seed + 2)
    assert restored.end_of(restarted.life) is None
