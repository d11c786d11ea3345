from datetime import UTC, datetime
from math import log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.push import dead
from gateway.push.answer import MAX_RETRY_AFTER_S, Answer
from gateway.push.dead import DeadLetters
from gateway.push.search import Search
from gateway.push.signature import signed

NOW = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((code, "taken") for code in (200, 201, 202, 204)),
        *((code, "later") for code in (100, 301, 308, 401, 403, 404, 408, 409, 425, 429, 500, 503)),
        *((code, "refused") for code in (400, 413, 418, 422)),
    ],
)
def test_a_status_says_what_to_do(status: int, verdict: str) -> None:
    assert Answer(status).verdict == verdict


@pytest.mark.parametrize(
    ("said", "pause_s"),
    [
        (None, 0),
        ("", 0),
        ("30", 30),
        ("-5", 0),
        ("1e9", 0),
        ("999999999999", MAX_RETRY_AFTER_S),
        ("Fri, 20 Mar 2026 01:00:42 GMT", 42),
        ("Fri, 20 Mar 2026 00:00:00 GMT", 0),
        ("Fri, 20 Mar 2026 01:00:10 -0000", 10),
        ("soon", 0),
    ],
)
def test_a_pause_is_seconds_or_a_date(said: str | None, pause_s: float) -> None:
    assert Answer(429, said).pause_s(NOW) == pause_s


def test_the_signature_can_be_worked_out_by_hand() -> None:
    # printf '1774000000.[]' | openssl dgst -sha256 -hmac key
    assert signed(b"[]", b"key", 1774000000) == {
        "Millgate-Timestamp": "1774000000",
        "Millgate-Signature": "sha256="
        "6579fd919dd4164fbb82a6ba416bf97cc97f9db16888a9ff97996060a97e52b7",
    }
    assert signed(b"[]", b"key", 1774000001) != signed(b"[]", b"key", 1774000000)


@given(st.integers(1, 64), st.integers(1, 300), st.sets(st.integers(0, 299)))
def test_every_refused_row_is_found_and_no_other(most: int, rows: int, poison: set[int]) -> None:
    search, at, found, requests = Search(most), 0, list[int](), 0
    while at < rows:
        size = min(search.next_size, rows - at)
        sent = range(at, at + size)
        requests += 1
        if not poison.intersection(sent):
            search.taken(size)
            at += size
            continue
        search.refused(size)
        if size == 1:
            found.append(at)
            at += 1
    wrong = sorted(one for one in poison if one < rows)
    assert found == wrong
    assert requests <= rows / most + 1 + len(wrong) * (2 * log2(most) + 4)


def test_dead_letters_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "MAX_BYTES", 300)
    letters = DeadLetters(tmp_path / "push/mes.dead.jsonl")
    for number in range(10):
        letters.add(b'{"n":%d}' % number, Answer(400, text="no"), NOW)
    assert sorted(path.name for path in letters.path.parent.iterdir()) == [
        "mes.dead.jsonl",
        "mes.dead.jsonl.1",
    ]
    assert b'{"n":9}' in letters.path.read_bytes()
    assert letters.path.stat().st_size < 500
