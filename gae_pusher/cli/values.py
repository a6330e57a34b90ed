"""Types of options for argparse: what is no such value is a usage error."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

__all__ = ["count", "http_url", "port"]


def port(text: str) -> int:
    """A TCP port, 0 for any free one."""
    if not (text.isascii() and text.isdecimal() and int(text[:6]) < 65_536):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def count(text: str) -> int:
    """How many of something, 1 at least."""
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0):
        raise argparse.ArgumentTypeError(f"a count is a number from 1 on, not {text!r}")
    return int(text)


def http_url(text: str) -> str:
    """The address of an endpoint."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"an address looks like http://HOST/PATH, not {text!r}")
    return text
