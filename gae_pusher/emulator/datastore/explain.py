"""Query explain: the indexes that a plan uses and, if it was run, what that cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gae_pusher.emulator.datastore.indexes import KEY, Column, IndexSpec
from gae_pusher.emulator.datastore.messages import ExecutionStats, PlanSummary
from gae_pusher.emulator.datastore.plan import Plan
from gae_pusher.emulator.datastore.views import View

__all__ = ["ENTRIES_PER_READ", "Meter", "execution_stats", "plan_summary"]

# An aggregation is billed one read for so many index entries (the Datastore's page "Pricing").
ENTRIES_PER_READ: Final = 1_000


class Meter(View):
    """A view that counts the index entries that are read from it."""

    def __init__(self, view: View) -> None:
        super().__init__(view.store, view.version, view.footprint)
        self.entries = 0

    def scan(
        self, namespace: str, spec: IndexSpec, low: bytes, high: bytes | None
    ) -> Iterator[bytes]:
        """The rows of an index from `low` on, and below `high` unless it is None."""
        for row in super().scan(namespace, spec, low, high):
            self.entries += 1
            yield row


def plan_summary(plan: Plan) -> PlanSummary:
    """The indexes of a plan, in the Datastore's words."""
    summary = PlanSummary()
    for spec in dict.fromkeys(spec for scan in plan.scans for spec, _ in scan.sources):
        described = summary.indexes_used.add()  # type: ignore[attr-defined]
        described["query_scope"] = "Includes ancestors" if spec.ancestor else "Collection group"
        described["properties"] = f"({', '.join(_columns(spec))})"
    return summary


def _columns(spec: IndexSpec) -> Iterator[str]:
    columns = spec.columns
    if not columns or columns[-1].property != KEY:
        columns = (*columns, Column(KEY))
    for name, descending in columns:
        yield f"{'__name__' if name == KEY else name} {'DESC' if descending else 'ASC'}"


def execution_stats(entries: int, entities: int, results: int, reads: int) -> ExecutionStats:
    """What a query read and gave; the time that it took is for who has a clock to say."""
    stats = ExecutionStats(results_returned=results, read_operations=reads)
    stats.debug_stats.update(
        {
            "index_entries_scanned": str(entries),
            "documents_scanned": str(entities),
            "billing_details": {
                "documents_billable": str(entities),
                "index_entries_billable": str(0 if entities else entries),
            },
        }
    )
    return stats
