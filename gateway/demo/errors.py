"""What can stop a demo, in both languages."""


class DemoError(Exception):
    """Somebody must do something first; the sentence says what."""

    def __init__(self, *, zh: str, en: str) -> None:
        """Give the sentence in both languages."""
        super().__init__(f"{zh}\n{en}")
