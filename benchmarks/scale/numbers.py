"""The numbers of the model: those that a provider documents, and those that are our assumption."""

from __future__ import annotations

from typing import Final

# Documented; docs/scale.md names the pages.
INDEX_WRITES_PER_SECOND: Final = 500  # to one range of a sequential index
RAMP_START: Final = 500  # operations a second on a cold range of keys
RAMP_GROWTH: Final = 1.5
RAMP_STEP_SECONDS: Final = 300
QUEUE_DISPATCHES_PER_SECOND: Final = 500  # the most that one queue may be given
SWEEP_SECONDS: Final = 60  # the shortest interval of cron.yaml

# Assumed: round figures of the usual order, to be replaced by your own measurements.
BURST_SECONDS: Final = 1.0  # what a lane lets through at once after a pause
COMMIT_SECONDS: Final = 0.025  # the mean; drawn anew for each commit
QUERY_SECONDS: Final = 0.030
WRITE_PATIENCE_SECONDS: Final = 5.0  # a write that would wait longer fails as contention
PUSHER_SECONDS: Final = 0.050  # one HTTP call, mean
PUSHER_EVENTS_PER_SECOND: Final = 20_000  # a quota by the day is documented, a rate is not
TASK_SECONDS: Final = 0.1  # from the creation of a task to its first dispatch
TASK_RETRY_SECONDS: Final = 5  # until Cloud Tasks comes again when the handler failed
CRASHES: Final = 0.001  # entries whose process dies between the commit and the send
