import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.nodes import NodeRef, parse

NAMESPACES = ["http://opcfoundation.org/UA/", "urn:server", "urn:plc"]


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("i=2258", NodeRef(0, 2258)),
        ("ns=2;i=1001", NodeRef(2, 1001)),
        ('ns=3;s="DB1"."Count"', NodeRef(3, '"DB1"."Count"')),
        ("ns=2;s=a;b=c", NodeRef(2, "a;b=c")),
        ("nsu=urn:plc;s=Line 1.数量", NodeRef("urn:plc", "Line 1.数量")),
        ("nsu=urn:a%3Bb%25;i=1", NodeRef("urn:a;b%", 1)),
        ("nsu=http://x/y=z/;s=A", NodeRef("http://x/y=z/", "A")),
        (
            "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a",
            NodeRef(1, uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a")),
        ),
        (
            "ns=1;b=M/RbKBsRVkePCePcx24oRA==",
            NodeRef(1, bytes.fromhex("33f45b281b1156478f09e3dcc76e2844")),
        ),
    ],
)
def test_every_kind_of_node_id_is_read(text: str, ref: NodeRef) -> None:
    assert parse(text) == ref
    assert parse(f"  {text}\n") == ref


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no node id"),
        ("Count", "is no node id"),
        ("ns=2", "is no node id"),
        ("ns=2;s=", "is no node id"),
        ("ns=2;x=1", "is no node id"),
        ("s=A;ns=2;", None),
        ("ns=two;i=1", "is no namespace index"),
        ("ns=65536;i=1", "is no namespace index"),
        ("ns=-1;i=1", "is no namespace index"),
        ("ns=²;i=1", "is no namespace index"),
        ("i=4294967296", "is no number"),
        ("i=-1", "is no number"),
        ("g=12345", "is no GUID"),
        ("b=***", "is no base64 text"),
        ("s=" + "a" * 4097, "is no name of at most 4096"),
    ],
)
def test_what_is_no_node_id_is_named(text: str, complaint: str | None) -> None:
    if complaint is None:
        assert parse(text) == NodeRef(0, "A;ns=2;")
        return
    with pytest.raises(ValueError, match=complaint):
        parse(text)


IDENTIFIERS = st.one_of(
    st.integers(0, 2**32 - 1),
    st.text(min_size=1, max_size=50).filter(lambda text: text == text.strip()),
    st.uuids(),
    st.binary(min_size=1, max_size=30),
)
NAMESPACE = st.one_of(
    st.integers(0, 65535), st.text(string.ascii_letters + ";%:/=3B", min_size=1, max_size=30)
)


@given(NAMESPACE, IDENTIFIERS)
def test_what_is_written_is_read_back(
    namespace: int | str, identifier: int | str | uuid.UUID | bytes
) -> None:
    ref = NodeRef(namespace, identifier)
    assert parse(str(ref)) == ref


@given(st.text())
def test_any_text_is_a_node_id_or_a_value_error(text: str) -> None:
    try:
        ref = parse(text)
    except ValueError:
        return
    assert parse(str(ref)) == ref


def test_a_namespace_uri_is_looked_up_in_the_servers_own_array() -> None:
    assert parse("nsu=urn:plc;i=1").index(NAMESPACES) == 2
    assert parse("nsu=urn:gone;i=1").index(NAMESPACES) is None
    assert parse("ns=7;i=1").index(NAMESPACES) == 7
    assert parse("i=1").index([]) == 0
