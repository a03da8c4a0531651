"""A Log Analytics workspace on a laptop: tables in DuckDB, queried in KQL."""

from kql.answer import QueryAnswer
from kql.refusals import KqlRefused
from kql.store import LocalWorkspace

__all__ = ["KqlRefused", "LocalWorkspace", "QueryAnswer"]
