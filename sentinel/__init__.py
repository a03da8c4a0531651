"""What analysts read in Microsoft Sentinel, as files, and the tools that prove it: `python -m sentinel --help`."""
