"""What a person is told about SSH: what is to be signed, where, and why something was refused."""

import shlex
from collections.abc import Iterator

from cli.printable import printable
from cli.translation import _
from jpki.authentication.ssh import FileSignature, Login, Order, Refusal, fingerprint


def order_text(order: Order) -> str:
    """What the signature would do, as a question's first part."""
    return " ".join(_parts(order))


def _parts(order: Order) -> Iterator[str]:
    bindings = order.bindings
    match order.purpose:
        case Login() as login:
            host_key = login.host_key
            if bindings and not bindings[-1].forwarding:
                host_key, bindings = bindings[-1].host_key, bindings[:-1]
            user = _word(login.user)
            if host_key is None:
                yield _("SSH login as {user}, at a server that is not known.").format(user=user)
            else:
                yield _("SSH login as {user}, at the server with the host key {key}.").format(
                    user=user, key=fingerprint(host_key)
                )
        case FileSignature(namespace=namespace):
            yield _("Signature of a file, commit or message ({namespace}).").format(
                namespace=_word(namespace)
            )
    if bindings:
        keys = ", ".join(fingerprint(binding.host_key) for binding in bindings)
        yield _("Asked for through the agent that is forwarded to {keys}.").format(keys=keys)


def _word(text: str) -> str:
    """A word of the asker's choice, quoted where it could be taken for ours or (by Qt) for HTML."""
    return shlex.quote(printable(text).replace("<", r"\x3c"))


def refusal_text(refusal: Refusal) -> str:
    """Why nothing was signed."""
    match refusal:
        case Refusal.LOCKED:
            return _("Nothing was signed: the agent is locked. 'ssh-add -X' unlocks it.")
        case Refusal.UNKNOWN_KEY:
            return _("Nothing was signed: another key than that of the card was asked for.")
        case Refusal.ALGORITHM:
            return _(
                "Nothing was signed: another algorithm than rsa-sha2-256 or rsa-sha2-512 was asked"
                " for, such as SHA-1. The program that asked is too old."
            )
        case Refusal.NOT_SSH:
            return _(
                "Nothing was signed: what was to be signed is neither an SSH login with this key"
                " nor an SSH signature. If you do not know why, somebody tried to misuse the agent."
            )
        case Refusal.OTHER_SESSION:
            return _(
                "Nothing was signed: the login was for another connection than the one that asked."
                " If you do not know why, somebody tried to misuse the agent."
            )
