"""What ``jpki cert show`` shows: one certificate, or all of a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli.certificate_text import certificate_text
from cli.certificate_view import certificate_as_json, certificate_as_text
from cli.translation import _
from jpki.certificates import read_profile


class Form(Enum):
    """How much is shown."""

    SUMMARY = "summary"
    TEXT = "text"
    """Every field and extension."""
    PEM = "pem"
    """The certificate itself, with all that it says of its holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertShowResult:
    """Certificates that were read, one at least."""

    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    form: Form = Form.SUMMARY
    reveal: bool = False

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        shown = [self._one_as_json(certificate) for certificate in self.certificates]
        several: dict[str, object] = {"certificates": shown} if len(shown) > 1 else {}
        return {"certificate": shown[0]} | several

    def _one_as_json(self, certificate: x509.Certificate) -> dict[str, object]:
        result = certificate_as_json(read_profile(certificate), reveal=self.reveal)
        match self.form:
            case Form.SUMMARY:
                return result
            case Form.TEXT:
                return result | {"text": "\n".join(self._full_text(certificate))}
            case Form.PEM:
                return result | {"pem": _pem(certificate).decode("ascii")}

    def as_text(self) -> Iterator[str]:
        """For people; with PEM the certificates themselves stand on stdout."""
        count = len(self.certificates)
        for number, certificate in enumerate(self.certificates, start=1):
            if number > 1:
                yield ""
            if count > 1:
                yield _("Certificate {number} of {count}").format(number=number, count=count)
            if self.form is Form.TEXT:
                yield from self._full_text(certificate)
            else:
                yield from certificate_as_text(read_profile(certificate), reveal=self.reveal)

    def pem(self) -> bytes:
        """The certificates as they are, RFC 7468."""
        return b"".join(map(_pem, self.certificates))

    def _full_text(self, certificate: x509.Certificate) -> Iterator[str]:
        return certificate_text(certificate, reveal=self.reveal)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
