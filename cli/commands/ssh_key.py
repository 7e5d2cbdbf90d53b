"""``jpki auth ssh-key``: the authentication key as a line of ``authorized_keys``."""

from collections.abc import Iterator
from dataclasses import dataclass

import click
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cli.certificate_source import read_certificate
from cli.context import AppContext, pass_app
from cli.options import Command, option
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource
from cli.ssh.comment import checked_comment
from cli.translation import N_
from jpki.authentication.ssh import fingerprint, key_blob, public_key_of, public_line
from jpki.files import CertificateName


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeyResult:
    """A public key."""

    key: RSAPublicKey
    comment: str

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "key": public_line(self.key, self.comment),
            "fingerprint": fingerprint(key_blob(self.key)),
        }

    def as_text(self) -> Iterator[str]:
        """The line itself, for ``>> ~/.ssh/authorized_keys``."""
        yield public_line(self.key, self.comment)


@click.command(
    cls=Command,
    help=N_(
        "Print the authentication key as a line for a server's ~/.ssh/authorized_keys. It names"
        " nobody; a card shows it without a PIN, a phone after its PIN."
    ),
)
@option("--comment", metavar="TEXT", help=N_("What stands behind the key."))
@pin_from()
@use_last_try()
@pass_app
def ssh_key(
    app: AppContext, *, comment: str | None, pin_from: PinSource | None, use_last_try: bool
) -> None:
    """Read and show."""
    checked = checked_comment(comment)
    name = CertificateName.AUTHENTICATION
    certificate = read_certificate(app, name, pin_from=pin_from, use_last_try=use_last_try)
    app.output.show(SshKeyResult(key=public_key_of(certificate), comment=checked))
