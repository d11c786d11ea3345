"""The composition root: builds one site from its configuration and runs it.

The only room that knows all the others. There is no logic here: what a part does, the
part decides.
"""

from gateway.app.main import main
from gateway.app.running import Part

__all__ = ["Part", "main"]
