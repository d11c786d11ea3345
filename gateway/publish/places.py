"""Who publishes where: the equipment of one gateway and what is said about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from gateway.domain.vocabulary import Json
from gateway.journal.row import Row
from gateway.wire.cloudevent import Form
from gateway.wire.topics import MISSING, GatewayTopics, Place, event_topic


class Address(NamedTuple):
    """Where an event goes, and what it says like all of its stream."""

    topic: str
    form: Form


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

    @cached_property
    def _addresses(self) -> dict[tuple[str, str, str, str], Address]:
        return {}

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

    def address(self, row: Row) -> Address:
        """Return the address of an event; worked out once for all of its stream."""
        key = (row.equipment, row.type, row.part, row.epoch)
        address = self._addresses.get(key)
        if address is None:
            place, source = self.of(row.equipment), self.topics.source
            form = Form.of(row.type, source=source, place=place, epoch=row.epoch)
            address = self._addresses[key] = Address(event_topic(place, row.type, row.part), form)
        return address
