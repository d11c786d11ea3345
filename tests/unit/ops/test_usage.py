from gateway.ops.usage import usage


def test_a_process_knows_what_it_takes() -> None:
    now = usage()
    assert now.cpu_s > 0
    assert now.rss_bytes is not None
    assert now.rss_bytes > 1_000_000
    assert now.open_fds is not None
    assert now.max_fds is not None
    assert 3 <= now.open_fds <= now.max_fds
