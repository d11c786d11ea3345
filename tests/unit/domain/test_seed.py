import pytest

from gateway.domain import durable
from gateway.domain.rules import CounterRule, EquipmentRules
from gateway.domain.seed import seeded
from tests.support.clock import MORNING

RULES = EquipmentRules(
    "press-07", counters=(CounterRule("good", "parts", "good", identity="a", unit="pcs"),)
)


def test_a_counter_goes_on_from_its_total_and_waits_for_a_baseline() -> None:
    state = durable.load(durable.dump(seeded(RULES, {"good": 5120}, MORNING)))
    counter = state.durable.counters["good"]
    assert (counter.total, counter.kind, counter.unit) == (5120, "good", "pcs")
    assert counter.identity != RULES.counters[0].identity
    assert state.durable.status is None


@pytest.mark.parametrize("totals", [{"bad": 1}, {"good": -1}, {"good": 2**53}])
def test_what_no_counter_can_show_is_refused(totals: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="press-07"):
        seeded(RULES, totals, MORNING)
