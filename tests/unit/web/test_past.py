"""What was found out late, what reaches over the edge of a span: nothing of it is lost."""

import httpx

from gateway.domain.vocabulary import State
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from tests.support.past import PRESS, count, status


async def test_going_back_page_by_page_leaves_out_nothing_that_was_found_out_late(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [count(1, 100), count(2, 95), count(3, 90), count(4, 90)])])
    await journal.append([Entry(PRESS, [status(State.OFFLINE, 120)])])  # since the last good sample
    url, seen, before = f"/api/v1/equipment/{PRESS}/events", list[int](), ""
    while len(seen) < 9:
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = (await viewer.get(url, params=query)).json()
        seen += [one["seq"] for one in page["events"]]
        if page["next"] is None:
            break
        before = page["next"]
    assert seen == [4, 3, 2, 1, 5]
