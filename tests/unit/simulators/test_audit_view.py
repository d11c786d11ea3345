from simulators.audit_view import Window, merged


def test_windows_close_to_each_other_are_one() -> None:
    found = merged([Window(1, 2, "a"), Window(2.5, 4, "b"), Window(9, 10, "c")], 0.5)
    assert found == [Window(1, 4, "a"), Window(9, 10, "c")]
    assert merged([], 1.0) == []
