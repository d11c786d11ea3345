"""``millgate schema``: print a JSON Schema."""

import orjson

from gateway.settings.schema import configuration_schema


def run(what: str) -> int:
    """Print the schema of ``config``; return the exit code."""
    schemas = {"config": configuration_schema}
    if what not in schemas:
        print(f"no schema of '{what}'; there is: {', '.join(schemas)}")
        return 2
    print(orjson.dumps(schemas[what](), option=orjson.OPT_INDENT_2).decode())
    return 0
