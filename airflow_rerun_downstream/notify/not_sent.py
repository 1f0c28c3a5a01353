"""Why a message didn't arrive: words of ours alone. What a server, a driver or a library says may hold a secret."""

from __future__ import annotations


class NotSent(Exception):
    """A try has failed. ``word`` is one of `words.DELIVERY_ERRORS`, perhaps with a number or a class after a colon."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word[:100]
