import socket
from contextlib import closing

from gateway.app.web import listening
from tests.support.ports import free_port


def test_of_two_demos_that_start_at_once_each_has_a_port() -> None:
    usual = free_port()
    with closing(listening(usual)) as first, closing(listening(usual)) as second:
        one, other = (listener.getsockname()[1] for listener in (first, second))
        assert one == usual != other
        for port in (one, other):
            socket.create_connection(("127.0.0.1", port)).close()
