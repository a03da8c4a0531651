"""A Log Analytics workspace on a laptop: tables in DuckDB, questions in KQL, the query REST shape on top."""

from kql.answer import QueryAnswer
from kql.refusals import KqlRefused
from kql.store import LocalWorkspace

__all__ = ["KqlRefused", "LocalWorkspace", "QueryAnswer"]
