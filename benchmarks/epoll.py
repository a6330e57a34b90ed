"""The least that a client can do: post given bytes on kept connections, and count the answers."""

from __future__ import annotations

import selectors
import socket

_END = b"\r\n\r\n{}"


def post_all(port: int, posts: list[bytes], connections: int) -> None:
    """Send each of the posts once, one at a time on each connection, and read the answers."""
    selector = selectors.DefaultSelector()
    waiting = list(reversed(posts))
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ)
        if waiting:
            sock.sendall(waiting.pop())
    left = len(posts)
    while left:
        for key, _ in selector.select():
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if not sock.recv(65_536).endswith(_END):
                continue
            left -= 1
            if waiting:
                sock.sendall(waiting.pop())
    selector.close()
    for sock in socks:
        sock.close()
