"""Signing XML: XAdES baseline B-B, ETSI EN 319 132-1 6.3, and XML Signature 1.1.

The rest of the document stays as it is, byte for byte: the signature is put into the text of the
document, which is not written anew. Two exceptions: an empty element that gets the signature is no
longer empty, and a document in Shift_JIS, EUC-JP or ISO-2022-JP becomes UTF-8 (``xml_encoding``
says why).

lxml and signxml take 0.2 s to import, so nothing here imports them before the first call.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jpki.signing.digest import HashAlgorithm, hash_stream
from jpki.signing.xml_options import Canonicalization, XmlForm, XmlOptions

if TYPE_CHECKING:
    from jpki.signing.xml_plan import SignedReference, XmlPlan

SAFE_IN_NAMES: Final = "!$&'()*+,;=@~"  # RFC 3986 3.3: a path segment has them as they are
DEFAULT: Final = XmlOptions()
NO_FILES: Final[Mapping[str, BinaryIO]] = MappingProxyType({})


def check_xml(document: bytes, options: XmlOptions = DEFAULT) -> None:
    """Find out whether a document can be signed like this, before a PIN is asked for.

    Raises:
        DocumentError: it cannot; ``fault`` says why.
    """
    from jpki.signing.xml_plan import plan_document

    options = _settled(options)
    plan = plan_document(document, options)
    plan.reference(options)
    plan.check_place(options)


def sign_xml(
    document: bytes,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    options: XmlOptions = DEFAULT,
    files: Mapping[str, BinaryIO] = NO_FILES,
) -> bytes:
    """Sign a document -> the document with the signature in it.

    Exactly one operation of the key, called in this thread.

    Args:
        document: XML without DTD.
        key: the signer's; ``key.sign(data, padding=PKCS1v15(), algorithm=...)`` is asked of it.
        certificate: the signer's, embedded.
        signing_time: the claimed time, with a time zone; written in UTC, to the second.
        options: form, reference, place.
        files: more that the signature covers: names as they go into it (percent-encoded), and
            contents, read to their end.

    Raises:
        DocumentError: the document cannot be signed like this; the key was not used.
        ValueError: a time without zone, or a file without a name (bugs of the caller).
        OSError: a file cannot be read.
    """
    from jpki.signing.xml_plan import plan_document

    _check(signing_time, files)
    options = _settled(options)
    plan = plan_document(document, options)
    references = (plan.reference(options), *_file_references(files, options.digest))
    markup = _sign(references, plan, key, certificate, signing_time, options)
    return plan.document.with_markup_inside(plan.parent, markup)


def sign_xml_files(
    files: Mapping[str, BinaryIO],
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    options: XmlOptions = DEFAULT,
) -> bytes:
    """Sign files of any kind -> an XML document that is nothing but the signature.

    Exactly one operation of the key, called in this thread.

    Args:
        files: names as they go into the signature (percent-encoded), and contents, read to their
            end in chunks.
        key: the signer's.
        certificate: the signer's, embedded.
        signing_time: the claimed time, with a time zone; written in UTC, to the second.
        options: form, canonicalization, prefix and digest; e-Gov's form wants a document.

    Raises:
        ValueError: a time without zone, no file, one without a name, or the form of e-Gov (bugs
            of the caller).
        OSError: a file cannot be read.
    """
    _check(signing_time, files)
    if not files or options.form is XmlForm.EGOV:
        raise ValueError("files are signed, at least one, as XAdES or XML Signature")
    references = tuple(_file_references(files, options.digest))
    markup = _sign(references, None, key, certificate, signing_time, options)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + markup + b"\n"


def _check(signing_time: datetime, files: Mapping[str, BinaryIO]) -> None:
    if signing_time.tzinfo is None:
        raise ValueError("the signing time needs a time zone")
    if "" in files:
        raise ValueError("a file needs a name")


def _settled(options: XmlOptions) -> XmlOptions:
    if options.form is XmlForm.EGOV:
        return replace(options, canonicalization=Canonicalization.C14N, prefix="")
    return options


def _file_references(
    files: Mapping[str, BinaryIO], algorithm: HashAlgorithm
) -> Iterator["SignedReference"]:
    from jpki.signing.xml_plan import SignedReference

    for name, content in files.items():
        yield SignedReference(
            uri=quote(name, safe=SAFE_IN_NAMES), digest=hash_stream(content, algorithm)
        )


def _sign(
    references: Sequence["SignedReference"],
    plan: "XmlPlan | None",
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    signing_time: datetime,
    options: XmlOptions,
) -> bytes:
    from jpki.signing.xml_egov import signature_id
    from jpki.signing.xml_plan import new_signature_id
    from jpki.signing.xml_signxml import SignatureTask, build_signature

    name: str | None
    match options.form:
        case XmlForm.XADES:
            document = None if plan is None else plan.document
            name = new_signature_id(references, signing_time, document)
        case XmlForm.EGOV:
            name = signature_id(signing_time)
        case XmlForm.XMLDSIG:
            name = None
    task = SignatureTask(
        references=references,
        signature_id=name,
        signing_time=signing_time,
        parent=None if plan is None else plan.parent,
    )
    return build_signature(task, options, key, certificate)
