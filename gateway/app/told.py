"""What somebody must do something about before a site can run: sentences, no traceback."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gateway.historian.store import StoreUnusable
from gateway.journal.errors import JournalError
from gateway.settings.secrets import SecretUnreadable

UNABLE = (JournalError, StoreUnusable, SecretUnreadable, OSError)


@contextmanager
def told() -> Iterator[list[str]]:
    """Give the sentences; there are some only if the context ended for such a reason."""
    sentences: list[str] = []
    try:
        yield sentences
    except* UNABLE as group:
        sentences += [str(err) for err in _leaves(group)]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for err in group.exceptions:
        if isinstance(err, BaseExceptionGroup):
            yield from _leaves(err)
        else:
            yield err
