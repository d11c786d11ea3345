from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import conditions_of
from drivers.opcua.alarms import MAX_ACTIVE, ActiveConditions, Notice
from drivers.opcua.convert import Sample
from tests.support.clock import FakeClock

BEGAN, ENDED = Notice("refresh_began"), Notice("refresh_ended")


def alarm(name: str, *, active: bool | None = True, retain: bool = True, text: str = "") -> Notice:
    return Notice(
        "condition",
        id=f"ns=2;s={name}",
        name=name,
        text=text or name.lower(),
        severity=500,
        retain=retain,
        active=active,
    )


def codes(sample: Sample | None) -> list[str] | None:
    if sample is None:
        return None
    assert sample.value is not None
    found = conditions_of(sample.value)
    assert found is not None
    return [one.code for one in found]


def wants(listed: ActiveConditions) -> bool:
    return listed.wants_refresh


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def listed(clock: FakeClock) -> ActiveConditions:
    """Return a list whose first refresh is over and found nothing."""
    empty = ActiveConditions(text_names=False, refresh_every_s=600, monotonic=clock.mono_s)
    empty.await_refresh(5)
    assert codes(empty.take(ENDED)) == []
    return empty


def test_an_alarm_is_listed_while_it_is_active(listed: ActiveConditions) -> None:
    assert codes(listed.take(alarm("Door"))) == ["Door"]
    assert listed.take(alarm("Door")) is None
    assert codes(listed.take(alarm("Oil"))) == ["Door", "Oil"]
    assert codes(listed.take(alarm("Door", active=False))) == ["Oil"]
    assert codes(listed.take(alarm("Oil", retain=False))) == []
    assert listed.take(alarm("Oil", retain=False)) is None


def test_a_condition_without_an_active_state_is_listed_while_retained(
    listed: ActiveConditions,
) -> None:
    assert codes(listed.take(alarm("Dialog", active=None))) == ["Dialog"]
    assert codes(listed.take(alarm("Dialog", active=None, retain=False))) == []


def test_branches_and_messages_of_the_system_are_no_alarms(listed: ActiveConditions) -> None:
    assert listed.take(replace(alarm("Door"), branch=True)) is None
    assert listed.take(replace(alarm("Door"), id="")) is None
    assert codes(listed.value()) == []


def test_new_words_and_severities_are_news(listed: ActiveConditions) -> None:
    listed.take(alarm("Door"))
    sample = listed.take(replace(alarm("Door", text="门已打开"), severity=5000))
    assert sample is not None
    assert sample.value is not None
    [door] = conditions_of(sample.value) or ()
    assert (door.text, door.language, door.severity) == ("门已打开", "zh", 1000)


def test_a_text_in_a_chinese_locale_is_chinese(listed: ActiveConditions) -> None:
    sample = listed.take(replace(alarm("Door", text="E17"), locale="zh-CN"))
    assert sample is not None
    assert '"zh"' in str(sample.value)


def test_nothing_is_told_before_the_first_refresh_is_over(clock: FakeClock) -> None:
    listed = ActiveConditions(text_names=False, refresh_every_s=600, monotonic=clock.mono_s)
    listed.await_refresh(5)
    assert listed.take(BEGAN) is None
    assert listed.take(alarm("Door")) is None
    assert listed.overdue() is None
    assert codes(listed.take(ENDED)) == ["Door"]


def test_a_refresh_without_an_end_is_over_in_time(clock: FakeClock) -> None:
    listed = ActiveConditions(text_names=False, refresh_every_s=600, monotonic=clock.mono_s)
    listed.await_refresh(5)
    listed.take(alarm("Door"))
    clock.advance(4.9)
    assert listed.overdue() is None
    clock.advance(0.2)
    assert codes(listed.overdue()) == ["Door"]
    assert listed.overdue() is None


def test_what_a_refresh_does_not_bring_up_is_gone(listed: ActiveConditions) -> None:
    listed.take(alarm("Door"))
    listed.take(alarm("Oil"))
    listed.await_refresh(5)
    assert listed.take(BEGAN) is None
    assert listed.take(alarm("Oil")) is None
    assert codes(listed.take(ENDED)) == ["Oil"]


@pytest.mark.parametrize("notice", [Notice("refresh_needed"), Notice("overflow"), None])
def test_after_a_loss_a_refresh_is_wanted_once(
    listed: ActiveConditions, notice: Notice | None
) -> None:
    assert not wants(listed)
    if notice is None:
        listed.lose()
    else:
        assert listed.take(notice) is None
    assert wants(listed)
    listed.await_refresh(5)
    assert not wants(listed)
    listed.take(ENDED)
    assert not wants(listed)


def test_a_server_that_cannot_refresh_leaves_the_list_uncertain(clock: FakeClock) -> None:
    listed = ActiveConditions(text_names=False, refresh_every_s=600, monotonic=clock.mono_s)
    listed.await_refresh(5)
    listed.no_refresh()
    assert listed.value() == Sample("[]", uncertain=True)
    sample = listed.take(alarm("Door"))
    assert codes(sample) == ["Door"]
    listed.lose()
    assert not listed.wants_refresh


def test_alarms_of_one_condition_are_told_apart_by_their_texts(clock: FakeClock) -> None:
    listed = ActiveConditions(text_names=True, refresh_every_s=600, monotonic=clock.mono_s)
    listed.take(alarm("FB1", text="valve stuck"))
    listed.take(alarm("FB1", text="no air"))
    assert codes(listed.value()) == ["FB1", "FB1"]
    assert codes(listed.take(alarm("FB1", text="no air", active=False))) == ["FB1"]
    assert "valve stuck" in str(listed.value().value)
    assert codes(listed.take(alarm("FB1", text="", active=False))) == []


def test_the_list_is_bounded_and_says_so(listed: ActiveConditions) -> None:
    for number in range(MAX_ACTIVE + 1):
        listed.take(replace(alarm(f"A{number}"), severity=1 if number == 7 else 500))
    sample = listed.value()
    found = codes(sample)
    assert found is not None
    assert (len(found), "A7" in found, sample.uncertain) == (MAX_ACTIVE, False, True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=30))
def test_the_list_is_what_the_last_word_of_each_says(
    events: list[tuple[str, bool, bool]],
) -> None:
    listed = ActiveConditions(text_names=False, refresh_every_s=600, monotonic=FakeClock().mono_s)
    expected: dict[str, bool] = {}
    for name, active, retain in events:
        listed.take(alarm(name, active=active, retain=retain))
        expected[name] = active and retain
    assert codes(listed.value()) == sorted(name for name, is_in in expected.items() if is_in)


def test_a_refresh_is_wanted_now_and_then_and_tells_only_what_is_new(
    listed: ActiveConditions, clock: FakeClock
) -> None:
    listed.take(alarm("Door"))
    clock.advance(599)
    assert not wants(listed)
    clock.advance(2)
    assert wants(listed)
    listed.await_refresh(5)
    assert not wants(listed)
    assert listed.take(alarm("Door")) is None
    assert listed.take(ENDED) is None
    clock.advance(600)
    listed.await_refresh(5)
    assert codes(listed.take(ENDED)) == []


def test_a_refresh_that_does_not_end_as_others_did_means_that_events_do_not_come(
    listed: ActiveConditions, clock: FakeClock
) -> None:
    listed.take(alarm("Door"))
    listed.await_refresh(5)
    clock.advance(6)
    assert listed.overdue() is None
    assert listed.is_dead
    assert codes(listed.value()) == ["Door"]
