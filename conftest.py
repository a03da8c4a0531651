"""Loaded by pytest before collection: plugins may be named only here."""

pytest_plugins = ["tests.azurite", "tests.session"]
