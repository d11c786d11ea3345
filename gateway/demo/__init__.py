"""``millgate demo``: plant, broker, gateway, historian and board, with nothing to configure."""

from gateway.demo.show import Options, main

__all__ = ["Options", "main"]
