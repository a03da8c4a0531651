"""The bridge: Claude's Compliance API on one side, Log Analytics tables on the other."""

__version__ = "0.1.0"
