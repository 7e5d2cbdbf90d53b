"""The card's private keys as ``cryptography`` keys (RFC 8017 8.2, ISO/IEC 7816-8 PSO).

What signs with an ``RSAPrivateKey`` then signs with the card: pyHanko by way of ``jpki.signing``,
the CSR builder. The parameter names of ``sign`` are part of that contract, since some callers pass
``padding=`` by keyword.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa, utils
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding, PKCS1v15

from jpki.errors import CertificateMalformedError, KeyPurposeError, SignatureMismatchError
from jpki.files import KeyName

_DIGEST_INFO_PREFIX: Final = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""The DER of DigestInfo up to the digest. RFC 8017 9.2, note 1."""


class CardPrivateKey(rsa.RSAPrivateKey):
    """A private key that stays on the card; each ``sign`` is one operation of the card.

    Every signature is checked against the certificate before it is handed out, so that a fault
    in the card or on the wire never leaves as a signature.

    Args:
        name: which of the two keys.
        certificate: the one that belongs to the key, for the check.
        compute: DigestInfo (DER) -> signature (256 bytes for RSA-2048), on the card.
        may_sign: what the authentication key may sign; it must be given for that key.

    Raises:
        CertificateMalformedError: the certificate holds no RSA key.
    """

    def __init__(
        self,
        name: KeyName,
        certificate: x509.Certificate,
        compute: Callable[[bytes], bytes],
        may_sign: Callable[[bytes], bool] | None = None,
    ) -> None:
        public_key = certificate.public_key()
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise CertificateMalformedError(name.certificate, "holds no RSA key")
        self.name = name
        self.certificate = certificate
        self._public_key = public_key
        self._compute = compute
        self._may_sign = may_sign

    def sign(
        self,
        data: bytes,
        padding: AsymmetricPadding,
        algorithm: utils.Prehashed | hashes.HashAlgorithm | utils.NoDigestInfo,
    ) -> bytes:
        """Sign ``data``, or the digest that it is (Prehashed) -> big-endian, as long as the key.

        Raises:
            NotImplementedError: other than PKCS#1 v1.5 with SHA-256, SHA-384 or SHA-512.
            KeyPurposeError: the authentication key, and this is not the login it was opened for.
            SignatureMismatchError: what the card gave does not verify.
            OutcomeUnknownError: the card went away; it may have signed.
        """
        if not isinstance(padding, PKCS1v15):
            raise NotImplementedError("the card signs with PKCS#1 v1.5 padding only")
        if isinstance(algorithm, utils.NoDigestInfo):
            raise NotImplementedError("the card signs digests only")
        data = bytes(data)  # one copy for the look and the signature: a buffer can change between
        prehashed = isinstance(algorithm, utils.Prehashed)
        hash_algorithm = _hash_of(algorithm)
        self._check_purpose(data, prehashed=prehashed)
        digest = data if prehashed else _digest(data, hash_algorithm)
        signature = self._compute(_digest_info(hash_algorithm, digest))
        try:
            self._public_key.verify(signature, digest, PKCS1v15(), utils.Prehashed(hash_algorithm))
        except InvalidSignature:
            raise SignatureMismatchError from None
        return signature

    def _check_purpose(self, data: bytes, *, prehashed: bool) -> None:
        if self.name is KeyName.SIGNATURE:
            return
        # A digest does not show what it stands for: it could be a stranger's web login.
        if prehashed or self._may_sign is None or not self._may_sign(data):
            raise KeyPurposeError

    @property
    def key_size(self) -> int:
        """Bits of the modulus, from the certificate."""
        return self._public_key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """The public key of the certificate."""
        return self._public_key

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> NoReturn:
        """Not offered: these keys sign."""
        raise NotImplementedError("the card's keys sign; they do not decrypt")

    def private_numbers(self) -> NoReturn:
        """Not to be had: the private key never leaves the card."""
        raise NotImplementedError("the private key stays on the card")

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002  # the name is cryptography's
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> NoReturn:
        """Not to be had: the private key never leaves the card."""
        raise NotImplementedError("the private key stays on the card")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def _hash_of(algorithm: utils.Prehashed | hashes.HashAlgorithm) -> hashes.HashAlgorithm:
    if isinstance(algorithm, utils.Prehashed):
        return algorithm._algorithm  # noqa: SLF001  # it has no public name; see pyca's own backend
    return algorithm


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    hasher = hashes.Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def _digest_info(algorithm: hashes.HashAlgorithm, digest: bytes) -> bytes:
    prefix = _DIGEST_INFO_PREFIX.get(algorithm.name)
    if prefix is None:
        raise NotImplementedError(f"the card is not asked to sign {algorithm.name}")
    if len(digest) != algorithm.digest_size:
        raise ValueError(f"a {algorithm.name} digest has {algorithm.digest_size} bytes")
    return prefix + digest
