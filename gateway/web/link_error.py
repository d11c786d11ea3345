"""What to try next where a link fails, in both languages. Pure."""

from gateway.domain.vocabulary import Json, Text
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.messages_hints import LINK_HINTS


def with_advice(error: Json | None) -> Json | None:
    """Return the error of a link with its hint in both languages, where both are known."""
    if error is None:
        return None
    advice = _advice(error)
    return error if advice is None else error | {"advice": advice}


def _advice(error: Json) -> Text | None:
    code, hint = error.get("code", ""), error.get("hint", "")
    if not hint:
        return None
    if code in LINK_HINTS:
        return {"zh": LINK_HINTS[code], "en": hint}
    refusal = DRIVERS.get(code)
    if refusal is None or not refusal.hint_zh:
        return None
    try:
        zh = refusal.hint_zh.format_map(error.get("fields", {}))
    except (KeyError, ValueError):  # told by a program of another version
        return None
    return {"zh": zh, "en": hint}
