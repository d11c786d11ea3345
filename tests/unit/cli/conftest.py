"""The databases these tests run over."""

from tests.support.postgres import database, postgres

__all__ = ["database", "postgres"]
