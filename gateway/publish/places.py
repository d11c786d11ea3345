"""Who publishes where: the equipment of one gateway and what is said about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from gateway.domain.vocabulary import Json
from gateway.wire.topics import MISSING, GatewayTopics, Place


@dataclass(eq=False)
class Places:
    """The equipment of this gateway. Changes by `become` only.

    ``local`` names those in commissioning: nothing about them is said. ``births`` are the
    retained dictionaries of the others, ``birth`` that of the gateway.
    """

    topics: GatewayTopics
    equipment: Mapping[str, Place]
    local: frozenset[str] = frozenset()
    birth: Json = field(default_factory=dict)
    births: Mapping[str, Json] = field(default_factory=dict)

    @cached_property
    def live(self) -> Mapping[str, Place]:
        """The equipment that may be spoken about."""
        return {name: place for name, place in self.equipment.items() if name not in self.local}

    def become(self, other: "Places") -> None:
        """Take over what another says; whoever holds this one sees it at once."""
        self.__dict__.clear()  # with what was derived
        self.__dict__.update(vars(replace(other)))

    def of(self, equipment: str) -> Place:
        """Return its place; one that left the configuration is filed under no line.

        Its events were committed while it was ours, so they still have to arrive.
        """
        place = self.equipment.get(equipment)
        if place is None:
            place = Place(self.topics.root, self.topics.site, MISSING, MISSING, equipment)
        return place
