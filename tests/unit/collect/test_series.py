"""When the facts of an equipment begin anew, and when they go on."""

from pathlib import Path

import orjson

from gateway.journal.identity import IdentityChange
from tests.unit.collect.test_deriver import FIRST, bench


async def test_a_retired_equipment_that_is_back_begins_a_series(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        await at.observe(changed={"press-07/good_parts": 101})
        old, head = at.journal.epoch, at.journal.head()
        await at.journal.identify(IdentityChange(retired="press-07"))
    async with bench(tmp_path) as at:
        assert at.journal.epoch > old
        assert at.journal.cursor("mqtt") == 0, "what was not delivered still is"
        await at.observe(changed=FIRST)
        rows = [row for row in await at.journal.rows(head, 1000) if row.type == "count"]
        facts = [(row.epoch, orjson.loads(row.data)) for row in rows if row.equipment == "press-07"]
    assert {epoch for epoch, _ in facts} == {at.journal.epoch}
    assert [(fact["anomaly"], fact["total"]) for _, fact in facts][:1] == [("baseline", 0)]


async def test_a_restart_is_no_new_series(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        old = at.journal.epoch
    async with bench(tmp_path) as at:
        assert at.journal.epoch == old
