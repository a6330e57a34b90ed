"""`python -m benchmarks [NAME]...` measures and prints tables; without names everything."""

from __future__ import annotations

import importlib
import sys

NAMES = ("async_triggers", "blocking", "datastore", "durable", "import_cost", "scale")


def main(names: list[str]) -> str | None:
    """Run the named benchmarks; an error message when there is no such name."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        return f"no benchmark {unknown[0]!r}: there are {', '.join(NAMES)}"
    for name in names or NAMES:
        print(importlib.import_module(f"benchmarks.{name}").run(), flush=True)
        print()
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
