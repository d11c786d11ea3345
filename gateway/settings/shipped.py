"""Where the configuration data that comes with the program lies."""

from importlib.resources import files
from pathlib import Path


def directory() -> Path:
    """Return the shipped profiles, fault dictionaries and examples.

    An installed wheel holds them inside the package; a checkout beside it.
    """
    package = Path(str(files("gateway")))
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "config"
