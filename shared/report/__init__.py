"""The scheduled compliance report: questions to the workspace, a page to file, a manifest that seals it."""
