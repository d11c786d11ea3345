"""The one error of this package."""


class WireError(ValueError):
    """A topic or a message that is not of the contract; the text says what is wrong."""
