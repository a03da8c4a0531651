"""The workbooks of `sentinel/workbooks/` on a page of this machine, over a local workspace that is only read."""
