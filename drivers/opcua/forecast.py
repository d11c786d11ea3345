"""A link's plan as every protocol tells it, beside what only OPC UA has to say."""

from collections import defaultdict
from collections.abc import Sequence

from drivers.contract import TagRequest
from drivers.opcua.plan import plan_of
from drivers.opcua.settings import LinkSettings, endpoint_of
from drivers.planned import LinkPlan, PlannedGroup, PlannedRequest


def forecast(link: LinkSettings, tags: Sequence[TagRequest], _rtt_s: float | None) -> LinkPlan:
    """Return what is asked of the server; a round trip does not matter to what it pushes."""
    groups: dict[str, list[str]] = defaultdict(list)
    for tag in tags:
        groups[tag.group].append(tag.key)
    asked = plan_of(link, tags)
    return LinkPlan(
        bus=endpoint_of(link),
        basis="",
        timeout_s=link.timeout_s,
        groups=tuple(
            PlannedGroup(name, None, (PlannedRequest("", tuple(keys), 0.0),))
            for name, keys in groups.items()
        ),
        said={"zh": tuple(asked.lines("zh")), "en": tuple(asked.lines("en"))},
    )
