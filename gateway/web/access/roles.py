"""Who may do what: four roles, each with all that the ones before it may. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """In ascending order."""

    VIEWER = "viewer"
    MAINTENANCE = "maintenance"
    ENGINEER = "engineer"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what ``other`` may."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}
