"""``millgate schema``: JSON Schema of configuration and messages, and AsyncAPI of the topics."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.settings.schema import configuration_schema
from gateway.wire.asyncapi import document
from gateway.wire.schema import schemas as message_schemas

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "config": configuration_schema,
    "events": message_schemas,
    "asyncapi": document,
}


def run(what: str) -> int:
    """Print the schema of the configuration or of the messages; return the exit code."""
    if what not in SCHEMAS:
        print(f"no schema of '{what}'; there is: {', '.join(SCHEMAS)}")
        return 2
    print(_text(SCHEMAS[what]()), end="")
    return 0


def write(directory: Path) -> int:
    """Write what is published into ``directory``, one file a message; return the exit code."""
    wanted = published()
    for path in directory.glob("**/*.json"):
        if path.relative_to(directory).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def published() -> dict[str, str]:
    """Return file name -> content of everything a consumer may build on."""
    messages = {f"{name}.json": _text(schema) for name, schema in message_schemas().items()}
    return {"asyncapi.json": _text(document()), **messages}


def _text(content: dict[str, Any]) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"
