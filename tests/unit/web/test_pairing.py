"""The codes that televisions show: how long they are good, for whom, and how many there may be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from gateway.web.access import secret
from gateway.web.access.pairing import (
    LASTS_S,
    MAX_OF_ADDRESS,
    MAX_WAITING,
    Pairings,
    TooManyWait,
    Waiting,
)

HALL = "10.0.0.40"


@dataclass
class Desk:
    now_s: float = 0.0
    codes: Iterator[int] = field(default_factory=count)

    def pairings(self, draw: Callable[[], str] | None = None) -> Pairings:
        return Pairings(lambda: self.now_s, draw or (lambda: f"{next(self.codes):06}"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_television_keeps_its_code_until_it_is_over(desk: Desk) -> None:
    pairings = desk.pairings()
    ticket, waiting = pairings.begin(HALL)
    assert waiting.code == "000000"
    desk.now_s = LASTS_S - 1
    assert pairings.find(ticket) is waiting
    assert pairings.left_s(waiting) == 1
    desk.now_s = LASTS_S
    assert pairings.find(ticket) is None
    assert pairings.enter(waiting.code) is None


def test_only_who_holds_the_ticket_is_found(desk: Desk) -> None:
    pairings = desk.pairings()
    ticket, _ = pairings.begin(HALL)
    for other in ("", "guess", ticket[:-1], secret.new_secret()):
        assert pairings.find(other) is None


def test_a_code_counts_once_and_again_only_if_nothing_came_of_it(desk: Desk) -> None:
    pairings = desk.pairings()
    _, waiting = pairings.begin(HALL)
    assert pairings.enter("999999") is None
    assert pairings.enter("000000") is waiting
    assert pairings.enter("000000") is None
    pairings.give_back(waiting)
    assert pairings.enter("000000") is waiting


def test_who_was_paired_has_time_to_ask_even_if_the_code_was_nearly_over(desk: Desk) -> None:
    pairings = desk.pairings()
    ticket, waiting = pairings.begin(HALL)
    desk.now_s = LASTS_S - 0.5
    assert pairings.enter(waiting.code) is waiting
    pairings.pair(waiting, "what the cookie will hold")
    assert "what the cookie will hold" not in repr(waiting)
    desk.now_s += LASTS_S - 1
    found = pairings.find(ticket)
    assert found is not None
    assert found.secret == "what the cookie will hold"  # noqa: S105
    pairings.forget(ticket)
    assert pairings.find(ticket) is None


def test_no_two_televisions_show_the_same_code(desk: Desk) -> None:
    drawn = iter(["111111", "111111", "111111", "222222"])
    pairings = desk.pairings(lambda: next(drawn))
    assert [pairings.begin(HALL)[1].code for _ in range(2)] == ["111111", "222222"]


def test_who_asks_without_end_drives_out_only_himself(desk: Desk) -> None:
    pairings = desk.pairings()
    others, _ = pairings.begin(HALL)
    mine = [pairings.begin("10.0.0.66")[0] for _ in range(MAX_OF_ADDRESS + 3)]
    assert pairings.find(others) is not None
    assert [pairings.find(ticket) is None for ticket in mine[:4]] == [True, True, True, False]


def test_what_waits_is_bounded_and_comes_free_with_time(desk: Desk) -> None:
    pairings = desk.pairings()
    for n in range(MAX_WAITING):
        pairings.begin(f"10.0.1.{n}")
    with pytest.raises(TooManyWait):
        pairings.begin(HALL)
    desk.now_s = LASTS_S
    assert isinstance(pairings.begin(HALL)[1], Waiting)


def test_a_drawn_code_has_six_digits_and_is_not_always_the_same() -> None:
    drawn = {secret.new_digits() for _ in range(200)}
    assert all(len(code) == 6 and code.isdecimal() for code in drawn)
    assert len(drawn) > 150
