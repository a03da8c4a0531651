"""What analysts read in Microsoft Sentinel, as files, and the programs that prove it: `python -m tools content`."""
