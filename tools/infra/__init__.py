"""Builds and checks the templates, and plans, packages and removes deployments."""
