"""The rows that did not go in, as a list to repair and import again. Pure."""

from collections.abc import Iterator, Sequence

from gateway.tags.columns import OURS, Sheet
from gateway.tags.entries import reasons
from gateway.tags.files import Value
from gateway.tags.messages import RowError

ROW, ERROR = "文件行号 row", "错误 error"


def answer(sheet: Sheet, errors: Sequence[RowError]) -> Iterator[Sequence[Value]]:
    """Yield a header and the bad rows as they came, each with its number and its reasons."""
    ours = {sheet.columns[column] for column in OURS if column in sheet.columns}
    kept = [index for index in range(len(sheet.headers)) if index not in ours]
    yield [*(sheet.headers[index] for index in kept), ROW, ERROR]
    said = reasons(errors)
    for row in sheet.rows:
        if row.number in said:
            yield [*(row.at(index).text for index in kept), row.number, said[row.number]]
