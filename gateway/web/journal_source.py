"""The board's source in a running gateway: its journal, read from beside it."""

from collections.abc import Mapping, Sequence
from typing import Self

from gateway.domain.durable import load
from gateway.domain.snapshot import snapshots
from gateway.domain.vocabulary import Json
from gateway.journal.errors import FileDamaged, JournalError, JournalUnusable
from gateway.journal.reader import JournalReader
from gateway.settings.site import EquipmentConfig, Site
from gateway.web.board import EquipmentCard
from gateway.web.source import BoardReading, SiteCard, SourceUnavailable, Trouble


def card_of(config: EquipmentConfig) -> EquipmentCard:
    """Return what a person reads of an equipment."""
    return EquipmentCard(
        equipment=config.equipment,
        name=config.name,
        area=config.area,
        line=config.line,
        stage=config.stage,
        links=config.links,
        faults={text.code: text for rule in config.rules.faults for text in rule.texts.values()},
    )


class JournalBoardSource:
    """Reads states and rows; decodes a state again only when its bytes changed.

    The reader belongs to the caller, who closes it. A journal that is not there (yet)
    is one in which nothing was ever read.
    """

    def __init__(
        self, reader: JournalReader, *, site: SiteCard, cards: Sequence[EquipmentCard]
    ) -> None:
        self._reader = reader
        self._site = site
        self._cards = tuple(cards)
        self._decoded: dict[str, tuple[bytes, Mapping[str, Json]]] = {}

    @classmethod
    def of(cls, site: Site, reader: JournalReader) -> Self:
        """Return the source of a configured gateway."""
        gateway = site.gateway
        cards = [card_of(config) for config in site.equipment.values()]
        card = SiteCard(gateway.site, gateway.gateway, gateway.timezone)
        return cls(reader, site=card, cards=cards)

    def follow(self, site: Site) -> None:
        """Show the equipment of another configuration of the same gateway from now on."""
        self._cards = tuple(card_of(config) for config in site.equipment.values())

    @property
    def site(self) -> SiteCard:
        """Whose board it is."""
        return self._site

    @property
    def cards(self) -> Sequence[EquipmentCard]:
        """The equipment configured, in the order of the configuration."""
        return self._cards

    def read(self) -> BoardReading:
        """Return what is committed now; raises SourceUnavailable."""
        try:
            # The sign of life first: what is read after it is at least as new.
            alive_at = self._reader.last_alive()
            states = self._reader.states()
            epoch, head_seq = self._reader.epoch() or "", self._reader.head()
        except JournalError as err:
            raise SourceUnavailable(str(err), _trouble(err)) from err
        return BoardReading(
            epoch=epoch,
            head_seq=head_seq,
            alive_at=alive_at,
            snapshots={
                equipment: self._decode(equipment, data) for equipment, data in states.items()
            },
        )

    def _decode(self, equipment: str, data: bytes) -> Mapping[str, Json]:
        known = self._decoded.get(equipment)
        if known is not None and known[0] == data:
            return known[1]
        try:
            fresh = snapshots(load(data))
        except ValueError as err:
            text = f"the state of {equipment} cannot be understood"
            raise SourceUnavailable(text, "unknown_state") from err
        self._decoded[equipment] = (data, fresh)
        return fresh


def _trouble(err: JournalError) -> Trouble:
    if isinstance(err, FileDamaged):
        return "damaged"
    return "unusable" if isinstance(err, JournalUnusable) else "unreadable"
