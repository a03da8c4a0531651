"""One measurement in its own process: `python -m bench.child NAME SIDE COUNT` prints it as a line of JSON.

A fresh process for each reading: no warm allocator, no cache and no import of one side helps the other.
"""

import json
import sys
from dataclasses import asdict
from importlib import import_module

from bench.reading import Reading


def main() -> None:
    name, side, count = sys.argv[1:]
    reading: Reading = getattr(import_module(f"bench.{name}"), side)(int(count))
    print(json.dumps(asdict(reading)))


if __name__ == "__main__":
    main()
