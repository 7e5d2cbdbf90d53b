"""docs/json.md names every word that the JSON output may have."""

from enum import Enum
from pathlib import Path

import pytest

from jpki.authentication.errors import SocketFault
from jpki.certificates import AnchorOrigin, CertificateKind, HolderFaultKind, Reason, Revocation
from jpki.certificates.conformance import ProfileFaultKind
from jpki.certificates.evidence import EvidenceFault
from jpki.lifecycle import Edge, Lockout, Move
from jpki.verification.report import Level, Note

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
WORDS = (
    AnchorOrigin,
    CertificateKind,
    Edge,
    EvidenceFault,
    HolderFaultKind,
    Level,
    Lockout,
    Move,
    Note,
    ProfileFaultKind,
    Reason,
    Revocation,
    SocketFault,
)


@pytest.mark.parametrize("words", WORDS)
def test_every_word_is_documented(words: type[Enum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in PAGE] == []
