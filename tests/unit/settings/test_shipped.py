from gateway.settings import shipped


def test_the_shipped_data_is_found() -> None:
    directory = shipped.directory()
    assert (directory / "gateway.example.yaml").is_file()
    assert list((directory / "profiles").glob("*.yaml"))
