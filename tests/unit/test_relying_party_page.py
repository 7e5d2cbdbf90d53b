"""What docs/relying-party.md shows works, and what it lists is all there is."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.login_site import Identity
from support.pki import AT, PKI_DIR, load
from support.revocation import Crl, distribution_point, scope

from jpki.authentication.errors import TokenError, TokenFault

PAGE = Path(__file__).parents[2] / "docs" / "relying-party.md"
TEXT = PAGE.read_text(encoding="utf-8")
SESSION = "a session"
TARO = Identity()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """All code of the page, run in order, in a folder with the CA's file in it, at a fixed time."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PKI_DIR / "authentication-ca.pem", tmp_path)
    names: dict[str, Any] = {}
    code = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(code) == 4
    exec("\n".join(code), names)  # noqa: S102
    for name in ("validator", "strict"):
        names[name] = replace(names[name], clock=lambda: AT)
    return names


def test_the_code_logs_somebody_in_once(program: dict[str, Any], capsys: Any) -> None:
    nonce = program["challenge"](SESSION)
    token = TARO.token("https://example.jp", nonce)
    login = program["log_in"](SESSION, nonce, token)
    assert program["account_of"](login) == {
        "key": login.subject_id,
        "certificate": login.certificate_id,
        "municipality": "Mihon-shi",
    }
    assert program["log_in"](SESSION, nonce, token) is None
    assert capsys.readouterr().out == "refused: nonce-taken\n"
    program["challenges"].close()


def test_the_code_about_revocation_refuses_a_revoked_certificate(program: dict[str, Any]) -> None:
    crl = Crl(
        entries=[(TARO.certificate.serial_number, None)],
        issuer=load("authentication-ca").subject,
        key="authentication-ca",
        scope=scope(distribution_point(TARO.certificate)),
    )
    Path("lists.crl").write_bytes(crl.build().public_bytes(Encoding.DER))
    nonce = program["challenge"](SESSION)
    with pytest.raises(TokenError) as caught:
        program["strict"].validate(TARO.token("https://example.jp", nonce), nonce)
    assert caught.value.reasons == ("revoked",)
    program["challenges"].close()


def test_every_fault_is_explained_and_no_other() -> None:
    section = TEXT.split("## Why it was refused")[1].split("## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == [
        *("too-large", "malformed", "format", "algorithm", "origin", "nonce"),
        *("nonce-unknown", "nonce-of-other-session", "nonce-taken", "nonce-expired"),
        *("certificate", "signature"),
    ]
    assert {fault.value for fault in TokenFault} == set(
        re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    )


def test_every_file_that_the_page_shows_is_there() -> None:
    places = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    assert len(places) >= 8
    for place in places:
        assert (PAGE.parent / place).exists(), place
