"""What an agent answers to each message, and to what is none."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ssh import (
    FAILURE,
    KEY,
    LIST,
    SIGN_RESPONSE,
    SUCCESS,
    Holder,
    listed_keys,
    login_data,
    sign_request,
    sshsig_data,
)

from jpki.authentication.ssh import Agent, Refusal
from jpki.authentication.ssh.agent import MAX_BINDINGS, Conversation
from jpki.authentication.ssh.locking import Lock
from jpki.authentication.ssh.wire import Reader, string, uint32

OTHER_KEY = string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(b"\x00" + b"\xdd" * 256)
EXTENSION_FAILURE = b"\x1c"
SESSION = b"s" * 32


class Table:
    """An agent and one conversation with it; ``pauses`` is how long it would have waited."""

    def __init__(self) -> None:
        self.holder = Holder()
        self.refusals: list[Refusal] = []
        self.pauses: list[float] = []
        self.agent = Agent(self.holder, tell=self.refusals.append, lock=Lock(self._pause))
        self.conversation = Conversation(self.agent)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def ask(self, message: bytes) -> bytes:
        return asyncio.run(self.conversation.answer(message))

    def another(self) -> None:
        """Go on in a connection of its own."""
        self.conversation = Conversation(self.agent)


@pytest.fixture
def table() -> Table:
    return Table()


def test_the_key_is_listed_with_its_comment(table: Table) -> None:
    assert table.ask(LIST) == b"\x0c" + uint32(1) + string(KEY) + string(b"a card")


@pytest.mark.parametrize(
    "data",
    [login_data(KEY), login_data(KEY, host_key=string(b"ssh-ed25519")), sshsig_data()],
    ids=["login", "bound login", "sshsig"],
)
def test_a_login_and_an_ssh_signature_are_signed(table: Table, data: bytes) -> None:
    assert table.ask(sign_request(KEY, data, 4)) == SIGN_RESPONSE
    assert [order.data for order in table.holder.orders] == [data]


REFUSED = {
    "ssh-rsa": (sign_request(KEY, login_data(KEY, algorithm=b"ssh-rsa"), 0), Refusal.ALGORITHM),
    "no flag": (sign_request(KEY, login_data(KEY), 0), Refusal.ALGORITHM),
    "both flags": (sign_request(KEY, sshsig_data(), 6), Refusal.ALGORITHM),
    "an unknown flag": (sign_request(KEY, sshsig_data(), 1), Refusal.ALGORITHM),
    "another flag than algorithm": (sign_request(KEY, login_data(KEY), 2), Refusal.NOT_SSH),
    "another key inside": (sign_request(KEY, login_data(OTHER_KEY), 4), Refusal.NOT_SSH),
    "64 octets": (sign_request(KEY, bytes(64), 4), Refusal.NOT_SSH),
    "another key": (sign_request(OTHER_KEY, login_data(OTHER_KEY), 4), Refusal.UNKNOWN_KEY),
    "another key for a file": (sign_request(OTHER_KEY, sshsig_data(), 4), Refusal.UNKNOWN_KEY),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_to_be_signed_never_reaches_the_card(table: Table, name: str) -> None:
    request, refusal = REFUSED[name]
    assert table.ask(request) == FAILURE
    assert table.refusals == [refusal]
    assert table.holder.orders == []


def test_what_the_holder_does_not_sign_is_a_failure(table: Table) -> None:
    table.holder.willing = False
    assert table.ask(sign_request(KEY, sshsig_data(), 4)) == FAILURE


def test_keys_cannot_be_added(table: Table) -> None:
    for number in (17, 20, 21, 25, 26):
        assert table.ask(bytes([number]) + string(b"ssh-rsa")) == FAILURE


def test_extensions_that_are_not_known_fail_as_extensions(table: Table) -> None:
    for name in (b"query", b"restrict-destination-v00@openssh.com", b""):
        assert table.ask(b"\x1b" + string(name) + b"whatever") == EXTENSION_FAILURE


def test_forgetting_is_for_the_own_key_or_all(table: Table) -> None:
    assert table.ask(b"\x12" + string(OTHER_KEY)) == FAILURE
    assert table.holder.forgotten == 0
    assert table.ask(b"\x12" + string(KEY)) == SUCCESS
    assert table.ask(b"\x13") == SUCCESS
    assert table.holder.forgotten == 2


def lock(password: bytes) -> bytes:
    return b"\x16" + string(password)


def unlock(password: bytes) -> bytes:
    return b"\x17" + string(password)


def test_a_locked_agent_shows_and_signs_nothing(table: Table) -> None:
    assert table.ask(unlock(b"")) == FAILURE
    assert table.ask(lock(b"secret")) == SUCCESS
    assert table.ask(lock(b"secret")) == FAILURE
    table.another()
    assert listed_keys(table.ask(LIST)) == []
    assert table.ask(sign_request(KEY, sshsig_data(), 4)) == FAILURE
    assert table.ask(b"\x13") == FAILURE
    assert table.refusals == [Refusal.LOCKED]
    assert table.holder.orders == []
    assert table.ask(unlock(b"secret")) == SUCCESS
    assert listed_keys(table.ask(LIST)) == [KEY]
    assert table.ask(sign_request(KEY, sshsig_data(), 4)) == SIGN_RESPONSE


def test_wrong_lock_passwords_take_longer_and_longer_up_to_a_limit(table: Table) -> None:
    table.ask(lock(b"secret"))
    for guesses_before in (0, 1, 2, 98, 99, 100, 5000):
        table.agent.lock._failures = guesses_before
        assert table.ask(unlock(b"guess")) == FAILURE
    assert table.pauses == pytest.approx([0.1, 0.2, 0.3, 9.9, 10.0, 10.0, 10.0])
    assert table.ask(unlock(b"secret")) == SUCCESS


def test_guesses_of_many_connections_wait_for_each_other() -> None:
    events: list[str] = []

    async def pause(_seconds: float) -> None:
        events.append("begin")
        await asyncio.sleep(0)
        events.append("end")

    async def guess() -> None:
        lock = Lock(pause)
        lock.close(b"secret")
        assert await asyncio.gather(*(lock.open(b"guess") for _ in range(5))) == [False] * 5

    asyncio.run(guess())
    assert events == ["begin", "end"] * 5


def test_who_does_not_stay_for_the_answer_makes_the_next_guess_wait_all_the_same() -> None:
    async def guess() -> None:
        waiting, over = asyncio.Event(), asyncio.Event()

        async def pause(_seconds: float) -> None:
            waiting.set()
            await over.wait()

        lock = Lock(pause)
        lock.close(b"secret")
        first = asyncio.ensure_future(lock.open(b"guess"))
        await waiting.wait()
        first.cancel()
        second = asyncio.ensure_future(lock.open(b"secret"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert lock.is_closed
        over.set()
        assert await second

    asyncio.run(guess())


def blob_of(key: object) -> bytes:
    import base64

    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
    return base64.b64decode(line.split(b" ")[1])


ED25519 = ed25519.Ed25519PrivateKey.generate()
HOST = blob_of(ED25519.public_key())
OTHER_HOST_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_HOST = blob_of(OTHER_HOST_KEY.public_key())


def bind(
    session: bytes = SESSION,
    key: ed25519.Ed25519PrivateKey = ED25519,
    *,
    forwarding: bool = False,
    signature: bytes | None = None,
) -> bytes:
    if signature is None:
        signature = string(b"ssh-ed25519") + string(key.sign(session))
    fields = string(blob_of(key.public_key())) + string(session) + string(signature)
    return b"\x1b" + string(b"session-bind@openssh.com") + fields + bytes([forwarding])


def login(session: bytes = SESSION, host_key: bytes | None = None) -> bytes:
    return sign_request(KEY, login_data(KEY, session_id=session, host_key=host_key), 4)


def test_a_bound_connection_signs_the_login_of_its_session_only(table: Table) -> None:
    assert table.ask(bind()) == SUCCESS
    assert table.ask(bind()) == SUCCESS  # said twice
    assert table.ask(login()) == SIGN_RESPONSE
    assert table.ask(login(host_key=HOST)) == SIGN_RESPONSE
    for other in (
        login(b"o" * 32),
        login(host_key=OTHER_HOST),
        sign_request(KEY, sshsig_data(), 4),
    ):
        assert table.ask(other) == FAILURE
    assert table.refusals == [Refusal.OTHER_SESSION] * 3
    assert [binding.host_key for binding in table.holder.orders[0].bindings] == [HOST]


def test_a_connection_bound_for_a_login_is_bound_to_nothing_else(table: Table) -> None:
    table.ask(bind())
    assert table.ask(bind(b"o" * 32, OTHER_HOST_KEY)) == FAILURE
    assert table.ask(bind(forwarding=True)) == FAILURE


def test_through_a_forwarding_comes_what_the_next_host_asks_for(table: Table) -> None:
    assert table.ask(bind(forwarding=True)) == SUCCESS
    assert table.ask(sign_request(KEY, sshsig_data(), 4)) == SIGN_RESPONSE
    assert table.ask(login(b"o" * 32)) == SIGN_RESPONSE  # an older client there does not bind
    assert table.ask(bind(b"o" * 32, OTHER_HOST_KEY)) == SUCCESS
    assert table.ask(login(b"o" * 32)) == SIGN_RESPONSE
    assert table.ask(login()) == FAILURE
    hosts = [binding.host_key for binding in table.holder.orders[-1].bindings]
    assert hosts == [HOST, OTHER_HOST]


def test_the_hops_of_a_forwarding_are_bounded(table: Table) -> None:
    sessions = [bytes([number]) * 32 for number in range(MAX_BINDINGS + 1)]
    answers = [table.ask(bind(session, forwarding=True)) for session in sessions]
    assert answers == [SUCCESS] * MAX_BINDINGS + [FAILURE]


SIGNED = string(ED25519.sign(SESSION))
UNSIGNED = {
    "nothing": b"",
    "another key": string(b"ssh-ed25519") + string(OTHER_HOST_KEY.sign(SESSION)),
    "another session": string(b"ssh-ed25519") + string(ED25519.sign(b"another")),
    "more behind it": string(b"ssh-ed25519") + SIGNED + b"\0",
    "another algorithm": string(b"rsa-sha2-256") + SIGNED,
    "a security key": string(b"sk-ssh-ed25519@openssh.com") + SIGNED,
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_a_binding_that_the_host_did_not_sign_is_refused(table: Table, name: str) -> None:
    assert table.ask(bind(signature=UNSIGNED[name])) == FAILURE
    assert table.ask(login()) == SIGN_RESPONSE
    assert table.holder.orders[0].bindings == ()


CURVES = {
    b"ecdsa-sha2-nistp256": (ec.SECP256R1(), SHA256()),
    b"ecdsa-sha2-nistp384": (ec.SECP384R1(), SHA384()),
    b"ecdsa-sha2-nistp521": (ec.SECP521R1(), SHA512()),
}


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_host_key_in_a_form_that_ssh_does_not_have_is_refused(
    table: Table, algorithm: bytes
) -> None:
    key = ec.generate_private_key(CURVES[algorithm][0]).public_key()
    point = string(key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
    fields = string(string(algorithm) + string(algorithm[-8:]) + point) + string(SESSION)
    message = b"\x1b" + string(b"session-bind@openssh.com") + fields
    assert table.ask(message + string(string(algorithm) + string(b"x")) + b"\0") == FAILURE


def mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_host_with_an_elliptic_curve_binds(table: Table, algorithm: bytes) -> None:
    curve, hash_algorithm = CURVES[algorithm]
    key = ec.generate_private_key(curve)
    r, s = decode_dss_signature(key.sign(SESSION, ec.ECDSA(hash_algorithm)))
    signature = string(algorithm) + string(mpint(r) + mpint(s))
    fields = string(blob_of(key.public_key())) + string(SESSION) + string(signature) + b"\0"
    assert table.ask(b"\x1b" + string(b"session-bind@openssh.com") + fields) == SUCCESS


@pytest.mark.parametrize(
    ("algorithm", "hash_algorithm", "answer"),
    [
        (b"rsa-sha2-256", SHA256(), SUCCESS),
        (b"rsa-sha2-512", SHA512(), SUCCESS),
        (b"ssh-rsa", SHA1(), FAILURE),  # noqa: S303
    ],
)
def test_a_host_with_rsa_binds_without_sha1(
    table: Table, algorithm: bytes, hash_algorithm: SHA256 | SHA512 | SHA1, answer: bytes
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    signature = string(algorithm) + string(key.sign(SESSION, padding.PKCS1v15(), hash_algorithm))
    fields = string(blob_of(key.public_key())) + string(SESSION) + string(signature) + b"\0"
    assert table.ask(b"\x1b" + string(b"session-bind@openssh.com") + fields) == answer


MESSAGES = [
    LIST, sign_request(KEY, login_data(KEY), 4), sign_request(KEY, sshsig_data(), 4), bind(),
    lock(b"secret"), unlock(b"secret"), b"\x12" + string(KEY), b"\x13",
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message[0]))
def test_a_message_that_is_cut_or_goes_on_is_a_failure(table: Table, message: bytes) -> None:
    for length in range(len(message)):
        if length:
            assert table.ask(message[:length]) in {FAILURE, EXTENSION_FAILURE}
    assert table.ask(message + b"\0") == FAILURE
    assert table.holder.orders == []
    assert table.holder.forgotten == 0
    assert not table.agent.lock.is_closed


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=80),
            st.sampled_from(MESSAGES),
            st.tuples(st.sampled_from([13, 18, 22, 23, 27]), st.lists(st.binary(max_size=40))).map(
                lambda parts: bytes([parts[0]]) + b"".join(map(string, parts[1]))
            ),
            st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(
                lambda parts: (
                    b"\x1b"
                    + string(b"session-bind@openssh.com")
                    + b"".join(map(string, parts))
                    + b"\1"
                )
            ),
        ),
        max_size=8,
    )
)
def test_every_message_has_an_answer_and_a_locked_agent_signs_nothing(
    messages: list[bytes],
) -> None:
    table = Table()
    for message in messages:
        was_locked = table.agent.lock.is_closed
        signed = len(table.holder.orders)
        answer = table.ask(message)
        assert answer[0] in {5, 6, 12, 14, 28}
        assert not was_locked or len(table.holder.orders) == signed
        if answer[0] == 14:
            Reader(answer[1:]).string("signature")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_host_key_or_signature_of_noise_is_a_failure(host_key: bytes, signature: bytes) -> None:
    table = Table()
    for kind in (b"", string(b"ssh-ed25519"), string(b"ecdsa-sha2-nistp256") + string(b"nistp256")):
        fields = string(kind + host_key) + string(SESSION) + string(signature) + b"\0"
        assert table.ask(b"\x1b" + string(b"session-bind@openssh.com") + fields) == FAILURE
    for host in (HOST, blob_of(ec.generate_private_key(ec.SECP256R1()).public_key())):
        for algorithm in (b"ssh-ed25519", b"ecdsa-sha2-nistp256"):
            signed = string(algorithm) + string(signature)
            fields = string(host) + string(SESSION) + string(signed) + b"\0"
            assert table.ask(b"\x1b" + string(b"session-bind@openssh.com") + fields) == FAILURE


def test_numbers_of_a_signature_that_cannot_be_are_a_failure(table: Table) -> None:
    host = blob_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    for r in (b"", b"\xff", b"\x00", b"\x01" * 5000):
        signed = string(b"ecdsa-sha2-nistp256") + string(string(r) + string(r))
        fields = string(host) + string(SESSION) + string(signed) + b"\0"
        assert table.ask(b"\x1b" + string(b"session-bind@openssh.com") + fields) == FAILURE
