"""`python -m gae_pusher` is the `gae-pusher` command."""

from __future__ import annotations

import sys

from gae_pusher.cli import main

if __name__ == "__main__":
    sys.exit(main())
