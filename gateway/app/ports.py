"""A port that stands in the configuration and cannot be had: what to do, for whoever wrote it."""

import errno
from collections.abc import Mapping

from gateway.settings.site import Site

_WHY: Mapping[int, tuple[str, str]] = {
    errno.EADDRINUSE: (
        "已被另一个程序占用:请结束那个程序,或在此改用其他端口",
        "another program has it: end that program, or write another port here",
    ),
    errno.EACCES: (
        "此用户不能使用该端口:请改用 1024 以上的端口",
        "this user may not have it: write a port above 1023 here",
    ),
    errno.EADDRNOTAVAIL: (
        "这不是本机的地址:请更正同一处的 host",
        "that is no address of this machine: correct the host beside it",
    ),
}


def refused(site: Site, key: str, host: str, port: int, err: OSError) -> OSError:
    """Return the error in words: which file and key, which port, what to do."""
    where = f"{site.directory / 'gateway.yaml'}: {key}: {host}:{port}"
    zh, en = _WHY.get(err.errno or 0, (f"不能使用:{err}", f"cannot be used: {err}"))
    return OSError(f"{where} {zh} / {en}")
