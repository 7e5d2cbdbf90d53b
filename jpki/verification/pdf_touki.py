"""Whether a signed PDF has the form that 登記・供託オンライン申請 takes, rule by rule.

The rules are those that the Legal Affairs Bureau has published: /Type /Sig, /SubFilter
adbe.pkcs7.detached, a /Name that is not empty, /M, an exact /ByteRange, PKCS#7 in /Contents.
Whether the signature is good is another question: ``verify_pdf``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from jpki.errors import DocumentError
from jpki.signing.digest import HashAlgorithm, read_hash
from jpki.signing.pdf_reader import PARSE_ERRORS, entry
from jpki.verification.pdf_contents import Contents, claimed_time, read_contents
from jpki.verification.pdf_document import PdfDocument, PdfSignature
from jpki.verification.signed_data import SignerInfo
from jpki.verification.signer_certificate import CertificateBag

SUBFILTER: Final = "/adbe.pkcs7.detached"
RSA_PREFIX: Final = bytes.fromhex("06092A864886F70D0101")  # rsaEncryption and what is like it


class ToukiRule(StrEnum):
    """One thing that is asked of the PDF."""

    READABLE = "readable"
    """It opens, without a password."""
    SIGNATURE = "signature"
    """There is a signature in a signature field, and none anywhere else."""
    TYPE = "type"
    """/Type /Sig."""
    SUBFILTER = "subfilter"
    """/SubFilter /adbe.pkcs7.detached; that of PAdES is refused."""
    NAME = "name"
    """/Name, and something in it."""
    TIME = "time"
    """/M, a date with its zone."""
    BYTE_RANGE = "byte-range"
    """/ByteRange covers all of the file but /Contents."""
    CONTENTS = "contents"
    """/Contents is one detached PKCS#7 SignedData with one signer."""
    HASH = "hash"
    """SHA-256."""
    CERTIFICATE = "certificate"
    """The signer's certificate is inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToukiFinding:
    """What became of one rule."""

    rule: ToukiRule
    passed: bool
    signature: str | None = None  # the name of its field; None: about the file
    detail: str = ""  # what stands there instead, in technical words
    offset: int | None = None  # in the file, where it stands or should


def check_touki(document: BinaryIO, password: str | None = None) -> tuple[ToukiFinding, ...]:
    """Hold a PDF against the rules; each signature in it against each of them.

    Args:
        document: seekable, from its first byte.
        password: opens an encrypted PDF so that more can be said; the rule fails all the same.
    """
    try:
        opened = PdfDocument(document, password)
        return tuple(_findings(opened))
    except DocumentError as error:
        detail = f"{error.fault.value} {error.detail}".strip()
        return (ToukiFinding(rule=ToukiRule.READABLE, passed=False, detail=detail),)
    except PARSE_ERRORS:
        return (ToukiFinding(rule=ToukiRule.READABLE, passed=False, detail="pdf-broken"),)


def _findings(document: PdfDocument) -> Iterator[ToukiFinding]:
    is_encrypted = document.reader.encrypted
    yield ToukiFinding(
        rule=ToukiRule.READABLE,
        passed=not is_encrypted,
        detail="encrypted" if is_encrypted else "",
    )
    signatures = [each for each in document.signatures if not each.is_timestamp]
    detail = "none" if not signatures else "one that no field holds" * document.has_phantom
    yield ToukiFinding(rule=ToukiRule.SIGNATURE, passed=not detail, detail=detail)
    for index, signature in enumerate(signatures):
        is_last = index == len(signatures) - 1
        yield from _dictionary_findings(document, signature, is_last=is_last)
        yield from _contents_findings(signature)


def _dictionary_findings(
    document: PdfDocument, signature: PdfSignature, *, is_last: bool
) -> Iterator[ToukiFinding]:
    dictionary = signature.dictionary
    found_type, subfilter = entry(dictionary, "/Type"), entry(dictionary, "/SubFilter")
    yield _finding(ToukiRule.TYPE, signature, "/Type", found_type == "/Sig", _shown(found_type))
    fits = subfilter == SUBFILTER
    yield _finding(ToukiRule.SUBFILTER, signature, "/SubFilter", fits, _shown(subfilter))
    name = entry(dictionary, "/Name")
    has_name = isinstance(name, str) and bool(name.strip())
    detail = "missing" if name is None else "empty"  # never the name itself
    yield _finding(ToukiRule.NAME, signature, "/Name", has_name, detail)
    time = entry(dictionary, "/M")
    has_time = claimed_time(signature) is not None
    yield _finding(ToukiRule.TIME, signature, "/M", has_time, _shown(time))
    covers = signature.covered is not None and (not is_last or signature.end == document.size)
    detail = "not exact" if signature.covered is None else f"ends at {signature.end}"
    yield _finding(ToukiRule.BYTE_RANGE, signature, "/ByteRange", covers, detail)


def _contents_findings(signature: PdfSignature) -> Iterator[ToukiFinding]:
    contents = read_contents(signature)
    fault = _contents_fault(contents)
    yield _finding(ToukiRule.CONTENTS, signature, "/Contents", fault is None, fault or "")
    signer = None if contents is None else next(iter(contents.signed_data.signer_infos), None)
    if contents is None or signer is None:
        return
    algorithm = read_hash(signer.digest_algorithm)
    is_sha256 = algorithm is HashAlgorithm.SHA256 and _is_rsa(signer)
    detail = "another algorithm" if algorithm is None else algorithm.value
    yield _finding(ToukiRule.HASH, signature, "/Contents", is_sha256, detail)
    candidates = CertificateBag(contents.signed_data.certificates).candidates(signer)
    yield _finding(ToukiRule.CERTIFICATE, signature, "/Contents", bool(candidates), "missing")


def _contents_fault(contents: Contents | None) -> str | None:
    if contents is None:
        return "no PKCS#7 SignedData"
    if contents.signed_data.content is not None:
        return "the document is inside"
    if len(contents.signed_data.signer_infos) != 1:
        return f"{len(contents.signed_data.signer_infos)} signers"
    return None


def _is_rsa(signer: SignerInfo) -> bool:
    return signer.signature_algorithm.startswith(RSA_PREFIX)


def _finding(
    rule: ToukiRule,
    signature: PdfSignature,
    key: str,
    passed: bool,  # noqa: FBT001
    detail: str,
) -> ToukiFinding:
    raw = signature.raw
    offset = None if raw is None else raw.start
    if raw is not None and key in raw.values:
        offset = raw.values[key].start
    return ToukiFinding(
        rule=rule,
        passed=passed,
        signature=signature.field.name,
        detail="" if passed else detail,
        offset=offset,
    )


def _shown(value: object) -> str:
    return "missing" if value is None else str(value)[:100]
