"""Who is signed in, and who wants to know it (protocol sections 3.9 and 3.10)."""

from __future__ import annotations

from gae_pusher.emulator.channels import frames
from gae_pusher.emulator.channels.effects import Effects, Send
from gae_pusher.emulator.channels.timers import Timers

__all__ = ["Users"]


class Users:
    """The signed-in users: online is who has at least one signed-in connection.

    Going offline is told `offline_delay_seconds` later, and not at all if the user is back by then.
    """

    def __init__(self, offline_delay_seconds: float) -> None:
        self._offline_delay = offline_delay_seconds
        self._sockets: dict[str, dict[str, None]] = {}
        self._user_of: dict[str, str] = {}
        self._watched: dict[str, tuple[str, ...]] = {}
        self._watchers: dict[str, dict[str, None]] = {}
        self._leaving: Timers[str] = Timers()

    def sockets_of(self, user_id: str) -> tuple[str, ...]:
        """The connections signed in as a user."""
        return tuple(self._sockets.get(user_id, ()))

    def user_of(self, socket_id: str) -> str | None:
        """The user that a connection is signed in as."""
        return self._user_of.get(socket_id)

    def sign_in(self, socket_id: str, user_id: str, watchlist: tuple[str, ...]) -> Effects:
        """Bind a connection to a user: it learns its watchlist's state, watchers of the change."""
        self._unwatch(socket_id)
        news = user_id not in self._sockets and not self._leaving.cancel(user_id)
        self._sockets.setdefault(user_id, {})[socket_id] = None
        self._user_of[socket_id] = user_id
        effects = self._tell(user_id, online=True) if news else []
        self._watch(socket_id, watchlist)
        if watchlist:
            online = [user for user in watchlist if self._is_online(user)]
            offline = [user for user in watchlist if not self._is_online(user)]
            effects.append(Send((socket_id,), frames.watchlist_events(online, offline)))
        return effects

    def sign_out(self, socket_id: str, now: float) -> Effects:
        """Forget a connection that is gone."""
        self._unwatch(socket_id)
        user_id = self._user_of.pop(socket_id, None)
        if user_id is None:
            return []
        del self._sockets[user_id][socket_id]
        if self._sockets[user_id]:
            return []
        del self._sockets[user_id]
        if self._offline_delay > 0:
            self._leaving.set(user_id, now + self._offline_delay)
            return []
        return self._tell(user_id, online=False)

    def next_due(self) -> float | None:
        """When somebody's absence is to be told."""
        return self._leaving.next_due()

    def tick(self, now: float) -> Effects:
        """Tell the absences that are due."""
        return [
            effect
            for user_id in self._leaving.pop_due(now)
            for effect in self._tell(user_id, online=False)
        ]

    def _is_online(self, user_id: str) -> bool:
        return user_id in self._sockets or user_id in self._leaving

    def _watch(self, socket_id: str, watchlist: tuple[str, ...]) -> None:
        self._watched[socket_id] = watchlist
        for user_id in watchlist:
            self._watchers.setdefault(user_id, {})[socket_id] = None

    def _unwatch(self, socket_id: str) -> None:
        for user_id in self._watched.pop(socket_id, ()):
            watchers = self._watchers[user_id]
            del watchers[socket_id]
            if not watchers:
                del self._watchers[user_id]

    def _tell(self, user_id: str, *, online: bool) -> Effects:
        watchers = tuple(self._watchers.get(user_id, ()))
        if not watchers:
            return []
        lists = ([user_id], []) if online else ([], [user_id])
        return [Send(watchers, frames.watchlist_events(*lists))]
