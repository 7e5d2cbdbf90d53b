"""Keys that tell how they were used."""

from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import rsa


class CountingKey(rsa.RSAPrivateKey):
    """A key like a card's: it signs, by these very parameter names, and does nothing else."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.signed: list[bytes] = []

    @property
    def key_size(self) -> int:
        return self._key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    def sign(self, data, padding, algorithm):
        self.signed.append(bytes(data))
        return self._key.sign(data, padding, algorithm)

    def _never(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise AssertionError("nobody may ask a card for this")

    decrypt = private_numbers = private_bytes = __copy__ = __deepcopy__ = _never
