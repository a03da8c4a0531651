"""A Log Analytics workspace on a laptop: tables in DuckDB, questions in KQL, the query REST shape on top."""

from sandbox.workspace.answer import Answer
from sandbox.workspace.refusals import KqlRefused
from sandbox.workspace.store import Workspace

__all__ = ["Answer", "KqlRefused", "Workspace"]
