"""A timestamp authority in the process."""

from datetime import datetime
from typing import Any

from support.pki import AT
from support.tsa import Token

from jpki.signing.digest import HashAlgorithm
from jpki.signing.timestamp import Timestamper


class LocalTimestamper(Timestamper):
    """Answers by itself; keywords go to the token."""

    def __init__(self, time: datetime = AT, **token: Any) -> None:
        super().__init__("http://tsa.invalid/")
        self.asked: list[bytes] = []
        self._token = {"time": time} | token

    def timestamp(self, digest: bytes, algorithm: HashAlgorithm) -> bytes:
        self.asked.append(digest)
        return Token(message=b"", imprint=digest, hash_name=algorithm.value, **self._token).der()
