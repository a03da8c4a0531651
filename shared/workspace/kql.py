"""Values as KQL literals: no query is put together from unquoted text."""

from datetime import UTC, datetime


def quoted(text: str) -> str:
    """A KQL string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def kql_moment(moment: datetime) -> str:
    """ISO 8601 in UTC, microseconds only where there are any; as `datetime(...)` takes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
