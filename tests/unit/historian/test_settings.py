import pytest

from gateway.historian.settings import HistorianSettings, InfluxSettings, SqlSettings
from gateway.ops.mqtt_terms import BrokerSettings

SQL = SqlSettings(url="sqlite:///x")
CHARTS = InfluxSettings(url="u", org="o", bucket="b")


def test_stores_are_told_apart() -> None:
    settings = HistorianSettings(broker=BrokerSettings(), site="s", stores=(CHARTS, SQL))
    assert (settings.sql, settings.charts) == (SQL, (CHARTS,))
    assert settings.client_id == "millgate-historian-s"


@pytest.mark.parametrize("stores", [(), (CHARTS,), (SQL, SQL)])
def test_exactly_one_store_is_of_record(stores: tuple[SqlSettings | InfluxSettings, ...]) -> None:
    with pytest.raises(ValueError, match="exactly one sql store"):
        HistorianSettings(broker=BrokerSettings(), site="s", stores=stores)
