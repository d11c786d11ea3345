"""Which of the board's languages a browser gets. Pure."""

LANGUAGES = ("zh", "en")


def choose(cookie: str | None, accept_language: str | None) -> str:
    """Return the language chosen before, else the browser's preferred, else zh."""
    if cookie in LANGUAGES:
        return cookie
    preferred = sorted(_offers(accept_language or ""), key=lambda offer: -offer[1])
    return next((name for name, weight in preferred if name in LANGUAGES and weight > 0), "zh")


def _offers(header: str) -> list[tuple[str, float]]:
    """Split ``en-GB,en;q=0.9`` into [("en", 1.0), ("en", 0.9)] (RFC 9110 §12.5.4)."""
    offers = []
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        offers.append((tag.strip().lower().partition("-")[0], _weight(parameter)))
    return offers


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
