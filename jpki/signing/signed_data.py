"""Building a SignedData through pyHanko's Signer; importing this module imports pyHanko.

pyHanko is asynchronous, and ``asyncio.run`` is not used: it needs a thread without a running loop,
and it takes Ctrl-C away from the transport that waits for the card (its SIGINT handler cancels the
task at its next suspension and there is none). No step here ever suspends, so the coroutine is
driven by hand.
"""

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1_core
from asn1crypto import tsp as asn1_tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import CertificateStore, SimpleCertificateStore

from jpki.signing.digest import HashAlgorithm
from jpki.signing.timestamp import MAX_TOKEN, Timestamper

T = TypeVar("T")

ROOM_OID = "1.2.840.113549.1.9.16.2.127"  # as long as that of a signature-time-stamp
FIRST_GENERALIZED_YEAR = 2050  # RFC 5652 11.3: UTCTime through 2049


class KeySigner(Signer):
    """A pyHanko signer on any RSA private key, PKCS#1 v1.5; the key is asked once and in place.

    The timestamper is ours, so pyHanko is given none: no step waits in an event loop.
    """

    def __init__(
        self,
        key: RSAPrivateKey,
        certificate: x509.Certificate,
        extra_certificates: Sequence[x509.Certificate] = (),
        timestamper: Timestamper | None = None,
    ) -> None:
        store: CertificateStore = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's
        store.register_multiple(
            [_to_asn1(extra) for extra in extra_certificates if extra != certificate]
        )
        # embed_roots is about the extra certificates: what the caller gives is embedded.
        super().__init__(signing_cert=_to_asn1(certificate), cert_registry=store, embed_roots=True)
        self._key = key
        self._timestamper = timestamper

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002  # pyHanko's signature
    ) -> bytes:
        """Sign DER(signedAttrs); a dry run gives as many zero bytes and leaves the key alone."""
        if dry_run:
            return bytes((self._key.key_size + 7) // 8)
        algorithm = HashAlgorithm(digest_algorithm)
        return self._key.sign(data, PKCS1v15(), algorithm.for_cryptography())

    async def unsigned_attrs(
        self,
        digest_algorithm: str,
        signature: bytes,
        *_args: object,
        dry_run: bool = False,
        **_kwargs: object,
    ) -> asn1_cms.CMSAttributes | None:
        """Return the timestamp over the signature: level B-T. B-B has no unsigned attributes.

        A dry run asks no server, and makes room for the largest token that is taken.
        """
        if self._timestamper is None:
            return None
        if dry_run:
            room = asn1_core.OctetString(bytes(MAX_TOKEN))
            return asn1_cms.CMSAttributes([_attribute(ROOM_OID, room)])
        algorithm = HashAlgorithm(digest_algorithm)
        token = self._timestamper.timestamp_if_possible(algorithm.digest(signature), algorithm)
        if token is None:
            return None
        value = asn1_cms.ContentInfo.load(token)
        return asn1_cms.CMSAttributes([_attribute("signature_time_stamp_token", value)])


def build_signed_data(
    message_digest: bytes,
    algorithm: HashAlgorithm,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime | None,
    cades: bool,
    extra_certificates: Sequence[x509.Certificate],
    timestamper: Timestamper | None = None,
) -> bytes:
    """Sign a digest -> DER ContentInfo, detached. See ``jpki.signing.cms.sign_digest``.

    ``signing_time`` None: no such attribute, as PAdES wants it (ETSI EN 319 142-1 6.3), which has
    the time in the PDF.
    """
    attributes = [
        _attribute("content_type", "data"),
        _attribute("message_digest", message_digest),
    ]
    if signing_time is not None:
        attributes.append(_attribute("signing_time", _time(signing_time)))
    if cades:
        # Encoded and loaded again, here and below: what was built, asn1crypto encodes anew at every
        # level above it; for a signing-certificate that came to 15 ms.
        reference = as_signing_certificate_v2(_to_asn1(certificate)).dump()
        settled = asn1_tsp.SigningCertificateV2.load(reference)
        attributes.append(_attribute("signing_certificate_v2", settled))
    signed_attrs = asn1_cms.CMSAttributes.load(asn1_cms.CMSAttributes(attributes).dump())
    signer = KeySigner(key, certificate, extra_certificates, timestamper)
    content_info = _drive(
        signer.async_sign_prescribed_attributes(algorithm.value, signed_attrs, cms_version="v1")
    )
    return bytes(content_info.dump())


def _attribute(name: str, value: object) -> asn1_cms.CMSAttribute:
    attribute = simple_cms_attribute(name, value)  # type: ignore[no-untyped-call]  # pyHanko's
    return asn1_cms.CMSAttribute.load(attribute.dump())


def _drive(coroutine: Coroutine[object, None, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("pyHanko suspended where nothing waits")


def _to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _time(moment: datetime) -> asn1_cms.Time:
    moment = moment.astimezone(UTC).replace(microsecond=0)
    if moment.year < FIRST_GENERALIZED_YEAR:
        return asn1_cms.Time({"utc_time": asn1_core.UTCTime(moment)})
    return asn1_cms.Time({"generalized_time": asn1_core.GeneralizedTime(moment)})
