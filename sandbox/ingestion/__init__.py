"""A simulated Logs Ingestion endpoint: data collection rules, streams, limits, and fault injection."""

from sandbox.ingestion.app import ingestion_app
from sandbox.ingestion.metrics import Metrics
from sandbox.ingestion.rules import CollectionRule

__all__ = ["CollectionRule", "Metrics", "ingestion_app"]
