"""As much of HTTP as a client needs that counts answers."""

from __future__ import annotations

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


def whole_length(received: bytes) -> int:
    """The length of the answer with its head, 0 while the head is not complete."""
    end = received.find(_HEAD_END)
    if end < 0:
        return 0
    start = received.find(_LENGTH, 0, end)
    length = 0 if start < 0 else int(received[start + len(_LENGTH) : received.index(b"\r", start)])
    return end + len(_HEAD_END) + length
