"""``millgate schema``: print JSON Schema."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from gateway.settings.schema import configuration_schema
from gateway.wire.schema import schemas as message_schemas

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "config": configuration_schema,
    "events": message_schemas,
}


def run(what: str) -> int:
    """Print the schema of the configuration or of the messages; return the exit code."""
    if what not in SCHEMAS:
        print(f"no schema of '{what}'; there is: {', '.join(SCHEMAS)}")
        return 2
    print(orjson.dumps(SCHEMAS[what](), option=orjson.OPT_INDENT_2).decode())
    return 0
