"""A Log Analytics workspace on a laptop: tables in DuckDB, questions in KQL, the query REST shape on top."""

from kql.answer import Answer
from kql.refusals import KqlRefused
from kql.store import Workspace

__all__ = ["Answer", "KqlRefused", "Workspace"]
