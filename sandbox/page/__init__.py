"""The workbooks of `sentinel/workbooks/` on a local web page, over a read-only local workspace."""
