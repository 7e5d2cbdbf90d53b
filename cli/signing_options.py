"""The options of ``jpki sign`` that belong to one format, and what they bring together."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from cli.errors import UsageProblemError
from cli.options import option, text
from cli.pin_options import secret_source
from cli.pin_source import PinSource
from cli.printable import printable
from cli.signature_format import SignatureFormat
from cli.signing_plan import SigningSettings
from cli.translation import N_, _
from jpki.signing import HashAlgorithm
from jpki.signing.pdf_options import Certification, PdfOptions, PdfProfile, PdfStamp, StampPlace
from jpki.signing.xml_options import Canonicalization, XmlForm, XmlOptions, is_prefix

if TYPE_CHECKING:
    from jpki.errors import ServerError
    from jpki.signing.timestamp import Timestamper

TIMESTAMPS: Final = N_("Timestamps")
PDF: Final = N_("PDF")
XML: Final = N_("XML")

TSA_USER: Final = "JPKI_TSA_USER"
TSA_PASSWORD: Final = "JPKI_TSA_PASSWORD"  # noqa: S105  # the name of a variable

UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
"""What no URL has, RFC 3986 2."""

PROFILES: Final = {
    "cms": SignatureFormat.CMS,
    "touki": SignatureFormat.PDF,
    "xmldsig": SignatureFormat.XML,
    "egov": SignatureFormat.XML,
}
"""What each profile is a form of."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOptions:
    """The options as they were given; what was not given is None."""

    profile: str | None
    level: str | None
    tsa: str | None
    tsa_optional: bool
    certify: str | None
    field_name: str | None
    reason: str | None
    location: str | None
    stamp: str | None
    stamp_text: str | None
    font: str | None
    pdf_password_from: PinSource | None = field(repr=False)
    reference: str | None
    id_attr: str | None
    parent: str | None
    c14n: str | None
    prefix: str | None

    @property
    def format(self) -> SignatureFormat | None:
        """The format that the profile is one of."""
        return None if self.profile is None else PROFILES[self.profile]

    def settings(
        self,
        algorithm: HashAlgorithm,
        *,
        attached: bool,
        detached: bool,
        pem: bool,
        allow_expired: bool,
        warn: Callable[[str], None],
    ) -> SigningSettings:
        """Put together how everything is signed; ``warn`` is told what is left out after all.

        Raises:
            UsageProblemError: options that contradict each other, or a value that cannot be.
            PinSourceError: the password of a PDF cannot be read.
        """
        return SigningSettings(
            algorithm=algorithm,
            attached=attached,
            detached=detached,
            cades=self.profile != "cms",
            pem=pem,
            allow_expired=allow_expired,
            pdf=self._pdf(algorithm),
            xml=self._xml(algorithm),
            timestamper=self._timestamper(warn),
        )

    def _timestamper(self, warn: Callable[[str], None]) -> "Timestamper | None":
        if self.tsa is None:
            if self.level == "T":
                raise UsageProblemError(N_("--level T wants a timestamp server: --tsa URL."))
            if self.tsa_optional:
                raise UsageProblemError(N_("--tsa-optional belongs to --tsa URL."))
            return None
        if self.level == "B":
            raise UsageProblemError(N_("--level B has no timestamp; leave --tsa or --level out."))
        from jpki.signing.timestamp import Timestamper

        try:
            user, password = _credentials(self.tsa)
        except ValueError:
            raise UsageProblemError(N_("--tsa takes an address, http:// or https://.")) from None
        if user is not None and ":" in user:  # RFC 7617 2
            raise UsageProblemError(N_("A user name for --tsa has no colon in it."))

        def go_without(error: "ServerError") -> None:
            warn(
                _("{url} does not answer ({detail}): signed without timestamp.").format(
                    url=printable(error.url), detail=printable(error.detail)
                )
            )

        return Timestamper(
            self.tsa,
            username=user,
            password=password,
            on_failure=go_without if self.tsa_optional else None,
        )

    def _pdf(self, algorithm: HashAlgorithm) -> PdfOptions:
        source = self.pdf_password_from
        if self.profile in {"touki", "egov"} and algorithm is not HashAlgorithm.SHA256:
            raise UsageProblemError(
                N_("--profile {profile} takes SHA-256 only; leave --hash out."),
                profile=self.profile or "",
            )
        return PdfOptions(
            profile=PdfProfile.TOUKI if self.profile == "touki" else PdfProfile.PADES,
            certify=None if self.certify is None else Certification(self.certify),
            field_name=self.field_name,
            reason=self.reason,
            location=self.location,
            stamp=self._stamp(),
            password=None if source is None else source.read(),
            digest=algorithm,
        )

    def _stamp(self) -> PdfStamp | None:
        if self.stamp is None:
            if self.stamp_text is not None or self.font is not None:
                raise UsageProblemError(N_("--stamp-text and --font belong to --stamp."))
            return None
        try:
            place = StampPlace.parse(self.stamp)
        except ValueError:
            raise UsageProblemError(
                N_("--stamp takes PAGE:X,Y,W,H in points, or PAGE:CORNER such as 1:bottom-right.")
            ) from None
        font = None if self.font is None else Path(self.font)
        return PdfStamp(place=place, text=self.stamp_text, font=font)

    def _xml(self, algorithm: HashAlgorithm) -> XmlOptions:
        forms = {"xmldsig": XmlForm.XMLDSIG, "egov": XmlForm.EGOV}
        if self.prefix is not None and not is_prefix(self.prefix):
            raise UsageProblemError(N_("--prefix takes an ASCII name, or nothing."))
        try:
            return XmlOptions(
                form=forms.get(self.profile or "", XmlForm.XADES),
                reference=self.reference or "",
                id_attribute=self.id_attr,
                parent=self.parent,
                canonicalization=Canonicalization(self.c14n or Canonicalization.C14N.value),
                prefix="ds" if self.prefix is None else self.prefix,
                digest=algorithm,
            )
        except ValueError:
            raise UsageProblemError(N_("--reference takes '#' and an id.")) from None


def _credentials(url: str) -> tuple[str | None, str | None]:
    """User and password for a server beside those in its address: of the environment, or of netrc.

    Raises:
        ValueError: that is no URL.
    """
    parts = urlsplit(url)
    host = parts.hostname
    (host or "").encode("idna")  # a ValueError as well, for what is no name
    is_odd = UNPRINTABLE.search(url) is not None or not (parts.path + parts.query).isascii()
    is_odd = is_odd or parts.port == 0  # a ValueError for what is no port
    if host is None or parts.scheme not in {"http", "https"} or is_odd:
        raise ValueError("no address of a server")
    if TSA_USER in os.environ:
        return os.environ[TSA_USER], os.environ.get(TSA_PASSWORD, "")
    if parts.username is not None:
        return None, None  # they stand in the address, which says more than netrc does
    import netrc

    try:
        found = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):  # there is none, or it cannot be read
        return None, None
    return (None, None) if found is None else (found[0], found[2])


_OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (
        ("--profile",),
        {
            "type": click.Choice(tuple(PROFILES)),
            "help": N_(
                "cms: CMS without what CAdES adds; touki: a PDF as the Legal Affairs Bureau"
                " (法務局) takes it; xmldsig: XML Signature alone; egov: 構成管理, experimental."
            ),
        },
    ),
    (
        ("--level",),
        {
            "type": click.Choice(("B", "T")),
            "section": TIMESTAMPS,
            "help": N_("B: without timestamp (so unless told); T: with one by --tsa."),
        },
    ),
    (
        ("--tsa",),
        {
            "metavar": "URL",
            "section": TIMESTAMPS,
            "help": N_(
                "The timestamp server (RFC 3161). It gets a hash, never the document. User and"
                " password: JPKI_TSA_USER, JPKI_TSA_PASSWORD, or netrc."
            ),
        },
    ),
    (
        ("--tsa-optional",),
        {
            "is_flag": True,
            "section": TIMESTAMPS,
            "help": N_("Sign without timestamp if the server does not answer."),
        },
    ),
    (
        ("--certify",),
        {
            "type": click.Choice([choice.value for choice in Certification]),
            "section": PDF,
            "help": N_("Certify as the author: what may be changed later (DocMDP)."),
        },
    ),
    (
        ("--field", "field_name"),
        {"metavar": "NAME", "section": PDF, "help": N_("The signature field to fill.")},
    ),
    (
        ("--reason",),
        {"metavar": "TEXT", "callback": text, "section": PDF, "help": N_("Why it is signed.")},
    ),
    (
        ("--location",),
        {"metavar": "TEXT", "callback": text, "section": PDF, "help": N_("Where it is signed.")},
    ),
    (
        ("--stamp",),
        {
            "metavar": "PLACE",
            "section": PDF,
            "help": N_(
                "Show name and date on the page: PAGE:X,Y,W,H in points from the lower left, or"
                " PAGE:CORNER such as 1:bottom-right."
            ),
        },
    ),
    (
        ("--stamp-text",),
        {"metavar": "TEXT", "section": PDF, "help": N_("More text for the stamp.")},
    ),
    (
        ("--font",),
        {"metavar": "FILE", "section": PDF, "help": N_("The font of the stamp.")},
    ),
    (
        ("--pdf-password-from",),
        {
            "metavar": "SOURCE",
            "callback": secret_source,
            "section": PDF,
            "help": N_("Where the password of an encrypted PDF comes from; as --pin-from."),
        },
    ),
    (
        ("--reference",),
        {
            "metavar": "#ID",
            "section": XML,
            "help": N_("Sign the element with this id; the whole document unless told."),
        },
    ),
    (
        ("--id-attr",),
        {
            "metavar": "NAME",
            "callback": text,
            "section": XML,
            "help": N_("An attribute that holds ids too."),
        },
    ),
    (
        ("--parent",),
        {
            "metavar": "XPATH",
            "callback": text,
            "section": XML,
            "help": N_("The element that gets the signature; the root element unless told."),
        },
    ),
    (
        ("--c14n",),
        {
            "type": click.Choice([method.value for method in Canonicalization]),
            "metavar": "METHOD",
            "section": XML,
            "help": N_(
                "Canonical XML: c14n (so unless told), c14n11, exclusive; or one of them followed"
                " by -with-comments."
            ),
        },
    ),
    (
        ("--prefix",),
        {
            "metavar": "NAME",
            "section": XML,
            "help": N_("Prefix of the signature's elements (ds); empty for none."),
        },
    ),
)


def format_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add the options; the command gets them as ``formats``."""
    names = FormatOptions.__dataclass_fields__

    @wraps(command)
    def with_options(*arguments: Any, **values: Any) -> Result:  # noqa: ANN401  # click's own
        formats = FormatOptions(**{name: values.pop(name) for name in names})
        return command(*arguments, formats=formats, **values)

    for options, attributes in reversed(_OPTIONS):
        with_options = option(*options, **attributes)(with_options)
    return with_options
