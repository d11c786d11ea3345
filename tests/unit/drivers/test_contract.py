from drivers.contract import close_shared


class Listening:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_what_outlives_the_sessions_is_closed_in_the_end() -> None:
    listening = Listening()
    close_shared({"listener": listening, "settings": {"baudrate": 9600}, "bus": object()})
    assert listening.closed == 1
