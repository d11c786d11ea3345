"""What a tile says beside the state: the figures of the shift and how far the order is."""

import asyncio
from functools import partial
from typing import NoReturn

from gateway.web import order_progress, shift_figures
from gateway.web.context import Context
from gateway.web.parts_so_far import PartsSoFar
from gateway.web.upkeep import Upkeep

IDLE_S = 1.0


async def keep_up(web: Context) -> NoReturn:
    """Keep the figures of the board up to date while there are lookers."""
    while True:
        if web.streams.lookers:
            await at_hand(web)
        await asyncio.sleep(IDLE_S)


async def at_hand(web: Context) -> None:
    """See to it that the board's figures are young; where nothing can be read there are none."""
    for upkeep in _upkeeps(web):
        await upkeep.at_hand()


def forget_what_is_old(web: Context) -> None:
    """Take figures off the board that nobody kept up."""
    for upkeep in _upkeeps(web):
        upkeep.forget_if_old()


def _upkeeps(web: Context) -> list[Upkeep]:
    if not web.upkeeps:
        board = web.board
        make = partial(Upkeep, mono_s=board.mono_s)
        progress, so_far = order_progress.OrderProgress(), PartsSoFar()

        async def figures() -> None:
            board.figures = await shift_figures.shift_figures(web, so_far)

        def no_figures() -> None:
            board.figures = {}

        def no_progress() -> None:
            board.progress = {}

        web.upkeeps = [
            make(figures, no_figures, every_s=shift_figures.EVERY_S),
            make(
                partial(progress.bring_up_to_date, web), no_progress, every_s=order_progress.EVERY_S
            ),
        ]
    return web.upkeeps
