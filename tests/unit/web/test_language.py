import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.language import LANGUAGES, choose


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (None, None, "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en;q=0.5, zh;q=0.8", "zh"),
        (None, "de-DE, en;q=0.3", "en"),
        (None, "de", "zh"),
        (None, "en;q=0", "zh"),
        (None, "en;q=high", "zh"),
        ("en", "zh-CN", "en"),
        ("xx", "en", "en"),
    ],
)
def test_the_choice_made_before_wins_then_the_browser_then_chinese(
    cookie: str | None, header: str | None, expected: str
) -> None:
    assert choose(cookie, header) == expected


@given(st.none() | st.text(), st.none() | st.text())
def test_whatever_a_browser_sends_gives_a_language(cookie: str | None, header: str | None) -> None:
    assert choose(cookie, header) in LANGUAGES
