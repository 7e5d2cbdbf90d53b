"""The agent's key holder: what it asks for is done at the desk, by the thread that has the card."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from cli.ssh.card import CardKey
from cli.ssh.desk import Desk
from jpki.authentication.ssh import Identity, Order

LOOK_TIMEOUT_S: Final = 5.0
"""How long a client that lists keys may wait for a card that nobody has looked at yet."""


class DeskKeys:
    """A ``KeyHolder``. The key is listed from memory once it was read, card or no card."""

    def __init__(self, desk: Desk, key: CardKey) -> None:
        self._desk = desk
        self._key = key

    async def identities(self) -> Sequence[Identity]:
        """The card's key, which takes no question and no PIN."""
        if self._key.identity is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_TIMEOUT_S):
                    await self._desk.do(lambda _presence: self._key.look())
        identity = self._key.identity
        return () if identity is None else (identity,)

    async def sign(self, order: Order) -> bytes | None:
        """Sign, in turn."""
        return await self._desk.do(lambda presence: self._key.sign(order, presence))

    def forget(self) -> None:
        """Forget PIN and key, before anything that is asked for from now on."""
        self._desk.post(self._key.forget)
