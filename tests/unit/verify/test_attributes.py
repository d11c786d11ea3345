import pytest

from gateway.verify.attributes import OFFICIAL, attribute_flaws


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", "a"), ("streamseq", 2**31 - 1), ("replay", False), ("data", {"any": ["thing"]})],
)
def test_what_cloudevents_allows(name: str, value: object) -> None:
    assert attribute_flaws({name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("stream_seq", 1, "not a name"),
        ("streamSeq", 1, "not a name"),
        ("a" * 21, 1, "not a name"),
        ("", 1, "not a name"),
        ("sequence", "1", "official extension"),
        ("streamseq", 2**31, "32 bits"),
        ("streamseq", -(2**31) - 1, "32 bits"),
        ("order", {"order_no": "1"}, "neither text"),
        ("rate", 0.5, "neither text"),
        ("subject", "a\nb", "control characters"),
    ],
)
def test_what_it_does_not(name: str, value: object, what: str) -> None:
    (flaw,) = attribute_flaws({name: value})
    assert flaw.code == "attributes"
    assert what in flaw.detail


def test_ours_borrow_no_official_name() -> None:
    assert not OFFICIAL & {"epoch", "streamseq", "replay", "recordedtime"}
