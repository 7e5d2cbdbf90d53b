"""Signatures made by pyHanko alone, with the certificates of `support.pki`."""

import asyncio
import io
from typing import Any

import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from support.cms import to_asn1
from support.pki import AT, load, load_key


def to_asn1_key(key: Any) -> keys.PrivateKeyInfo:
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return keys.PrivateKeyInfo.load(der)


def signer(name: str = "signature", key: str = "signature") -> signers.SimpleSigner:
    store = SimpleCertificateStore()
    store.register(to_asn1(load("signature-ca")))
    return signers.SimpleSigner(
        signing_cert=to_asn1(load(name)),
        signing_key=to_asn1_key(load_key(key)),
        cert_registry=store,
    )


class FixedClock:
    @staticmethod
    def now(tz: Any = None) -> Any:
        return AT.astimezone(tz)


def signed_pdf(document: bytes, monkeypatch: pytest.MonkeyPatch, **metadata: Any) -> bytes:
    """pyHanko signs at the clock's time; the certificates are of another one."""
    given: dict[str, Any] = {
        "field_name": "Other",
        "subfilter": fields.SigSeedSubFilter.PADES,
        "md_algorithm": "sha256",
    } | metadata
    pdf_signer = signers.PdfSigner(signers.PdfSignatureMetadata(**given), signer=signer())
    monkeypatch.setattr("pyhanko.sign.signers.pdf_signer.datetime", FixedClock)

    async def make() -> io.BytesIO:
        return await pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(document)))

    return asyncio.run(make()).getvalue()
