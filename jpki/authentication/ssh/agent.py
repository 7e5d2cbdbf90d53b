"""An SSH agent without its socket: requests in, answers out. RFC 9987.

What the key signs is decided here, by ``purposes`` and by the session that the connection serves;
the ``KeyHolder`` has the card and the person. It is asked for nothing that was not understood.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, assert_never

from jpki.authentication.ssh.binding import Binding, verified_binding
from jpki.authentication.ssh.keys import SignatureAlgorithm
from jpki.authentication.ssh.locking import Lock
from jpki.authentication.ssh.messages import (
    EXTENSION_FAILURE,
    FAILURE,
    SUCCESS,
    BindRequest,
    ForgetRequest,
    ListRequest,
    LockRequest,
    Number,
    OtherRequest,
    SignRequest,
    identities_answer,
    parse_request,
    sign_response,
)
from jpki.authentication.ssh.purposes import Login, Purpose, purpose_of
from jpki.authentication.ssh.wire import MalformedError

MAX_BINDINGS: Final = 16
"""Hops of a forwarded agent; OpenSSH has the same bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A key that the agent offers."""

    key_blob: bytes
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something to be signed that may be signed."""

    key_blob: bytes
    data: bytes = field(repr=False)
    algorithm: SignatureAlgorithm
    purpose: Purpose
    bindings: tuple[Binding, ...]
    """The hosts between the asker and this machine, nearest first; the last may be the server."""


class Refusal(Enum):
    """Why nothing was signed, or an odd request not done."""

    LOCKED = "locked"
    UNKNOWN_KEY = "unknown-key"
    ALGORITHM = "algorithm"
    NOT_SSH = "not-ssh"
    OTHER_SESSION = "other-session"


class KeyHolder(Protocol):
    """Who has the keys. Called from one event loop."""

    async def identities(self) -> Sequence[Identity]:
        """The keys that there are now. Never asks a person."""

    async def sign(self, order: Order) -> bytes | None:
        """Sign -> the signature with its algorithm's name; None: it was not to be, and was told.

        Cancelled if the asker goes away: then nobody shall be asked, and nothing be sent.
        """

    def forget(self) -> None:
        """Keep no secret of a key, nor the key itself."""


class Agent:
    """What all connections share.

    Args:
        holder: who has the keys.
        tell: hears of what is refused.
        lock: the lock; a new one is open.
    """

    def __init__(
        self, holder: KeyHolder, *, tell: Callable[[Refusal], None], lock: Lock | None = None
    ) -> None:
        self.holder = holder
        self.tell = tell
        self.lock = lock or Lock()


class Conversation:
    """One connection."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._bindings: list[Binding] = []

    async def answer(self, message: bytes) -> bytes:
        """Answer a message -> the answer; both without their lengths. Total."""
        try:
            request = parse_request(message)
        except MalformedError:
            return FAILURE
        match request:
            case BindRequest():
                return self._bind(request)
            case LockRequest():
                return await self._lock(request)
            case ListRequest():
                return identities_answer(
                    (identity.key_blob, identity.comment) for identity in await self._identities()
                )
            case SignRequest():
                return await self._sign(request)
            case ForgetRequest():
                return await self._forget(request)
            case OtherRequest():
                return EXTENSION_FAILURE if request.number == Number.EXTENSION else FAILURE
            case _:
                assert_never(request)

    async def _identities(self) -> Sequence[Identity]:
        return () if self._agent.lock.is_closed else await self._agent.holder.identities()

    async def _lock(self, request: LockRequest) -> bytes:
        lock = self._agent.lock
        done = await lock.open(request.password) if request.unlock else lock.close(request.password)
        return SUCCESS if done else FAILURE

    async def _forget(self, request: ForgetRequest) -> bytes:
        if self._agent.lock.is_closed:
            return FAILURE
        if request.key_blob is not None and not await self._is_known(request.key_blob):
            return FAILURE
        self._agent.holder.forget()
        return SUCCESS

    async def _is_known(self, key_blob: bytes) -> bool:
        return any(key_blob == identity.key_blob for identity in await self._identities())

    async def _sign(self, request: SignRequest) -> bytes:
        order = await self._order(request)
        if isinstance(order, Refusal):
            self._agent.tell(order)
            return FAILURE
        signature = await self._agent.holder.sign(order)
        return FAILURE if signature is None else sign_response(signature)

    async def _order(self, request: SignRequest) -> Order | Refusal:
        """What is to be done for a request, or why nothing is."""
        if self._agent.lock.is_closed:
            return Refusal.LOCKED
        if request.algorithm is None:
            return Refusal.ALGORITHM
        try:
            purpose = purpose_of(request.data, request.key_blob, request.algorithm)
        except MalformedError:
            return Refusal.NOT_SSH
        if not self._fits_session(purpose):
            return Refusal.OTHER_SESSION
        if not await self._is_known(request.key_blob):
            return Refusal.UNKNOWN_KEY
        return Order(
            key_blob=request.key_blob,
            data=request.data,
            algorithm=request.algorithm,
            purpose=purpose,
            bindings=tuple(self._bindings),
        )

    def _fits_session(self, purpose: Purpose) -> bool:
        """Whether this may be signed here: a connection bound to a login serves that login only.

        Behind a forwarding any request may come: older clients there do not bind.
        """
        if not self._bindings or self._bindings[-1].forwarding:
            return True
        bound = self._bindings[-1]
        return (
            isinstance(purpose, Login)
            and purpose.session_id == bound.session_id
            and purpose.host_key in {None, bound.host_key}
        )

    def _bind(self, request: BindRequest) -> bytes:
        try:
            binding = verified_binding(request)
        except MalformedError:
            return FAILURE
        if binding in self._bindings:
            return SUCCESS
        taken = any(known.session_id == binding.session_id for known in self._bindings)
        finished = bool(self._bindings) and not self._bindings[-1].forwarding
        if taken or finished or len(self._bindings) >= MAX_BINDINGS:
            return FAILURE
        self._bindings.append(binding)
        return SUCCESS
