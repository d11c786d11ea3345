"""millgate: the gate between the mill floor and the MES."""

__version__ = "0.1.0"
