"""Optional libraries: what to install when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needing"]


@contextmanager
def needing(what: str, package: str) -> Iterator[None]:
    """Turn a ModuleNotFoundError into one that has the pip command for what `what` needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} needs {error.name}: pip install '{package}'", name=error.name
        ) from error
