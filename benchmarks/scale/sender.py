"""What the outbox sends with: a channel type whose network is the modelled Pusher."""

from __future__ import annotations

import json
from typing import Any

from google.cloud import ndb

from benchmarks.scale.channels import ModelledPusher
from benchmarks.scale.clock import Clock
from benchmarks.scale.groups import APP_ID, Group, Groups
from benchmarks.scale.tally import Tally
from benchmarks.scale.waiting import failed, later
from gae_pusher import Config
from gae_pusher.errors import TransportTimeout

__all__ = ["ModelledSender"]


class ModelledSender:
    """Sends plans; the data of each event names the group that it stands for."""

    breaker_is_open = False  # there is none in the model

    def __init__(self, clock: Clock, pusher: ModelledPusher, groups: Groups, tally: Tally) -> None:
        self.config = Config(app_id=APP_ID, key="key", secret="secret")
        self._clock = clock
        self._pusher = pusher
        self._groups = groups
        self._tally = tally

    def attempt_async(self, plan: Any, timeout: float) -> ndb.Future:
        """A future that is settled when Pusher accepted the plan's events, or did not."""
        names = [
            item["data"]
            for operation in plan.operations
            for item in (json.loads(operation.body).get("batch") or [json.loads(operation.body)])
        ]
        groups = [self._groups.known[name] for name in names]
        count = sum(group.count for group in groups)
        answer = self._pusher.send(self._clock.now, count, count, timeout)
        if not answer.accepted:
            silence = TransportTimeout("no answer", sent=True)
            return failed(self._clock, answer.seconds, silence)
        return later(self._clock, answer.seconds, lambda: self._accepted(groups))

    def _accepted(self, groups: list[Group]) -> dict[str, object]:
        """Pusher's answer."""
        self._tally.accepted(self._clock.now, groups)
        return {}
