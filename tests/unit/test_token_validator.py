"""A site's whole check: the challenge is taken, the token validated; each attack by its name."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.pki import (
    AT,
    AUTHENTICATION_LEAF,
    AUTHENTICATION_UNIT,
    CA_UNTIL,
    build_ca,
    ca_name,
    load,
    load_key,
)
from support.revocation import Crl, distribution_point, scope

from jpki.authentication import (
    AuthToken,
    MemoryChallengeStore,
    TokenValidator,
    VerifiedLogin,
    login_message,
    make_token,
    verify_token,
)
from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.token import MAX_TOKEN_SIZE
from jpki.certificates.revocation import RevocationMaterial, RevocationMode
from jpki.errors import AnchorNotCaError

ORIGIN = "https://example.jp"
PROGRAM = "https://example.org/jpki/0.1.0"
SESSION, OTHER_SESSION = "one browser", "another browser"
CA = load("authentication-ca")
LEAF = load("authentication")
KEY = load_key("authentication")


class Site:
    """What a relying party does, in ten lines."""

    def __init__(self) -> None:
        self.now = AT
        self.challenges = MemoryChallengeStore(clock=lambda: self.now)
        self.validator = TokenValidator(origin=ORIGIN, anchors=(CA,), clock=lambda: self.now)

    def challenge(self, session: str = SESSION) -> str:
        return self.challenges.issue(session)

    def log_in(self, token: AuthToken | str, nonce: str, session: str = SESSION) -> VerifiedLogin:
        self.challenges.take(nonce, session)
        text = token.to_json() if isinstance(token, AuthToken) else token
        return self.validator.validate(text, nonce)


@pytest.fixture
def site() -> Site:
    return Site()


def token_for(nonce: str, origin: str = ORIGIN) -> AuthToken:
    return make_token(origin, nonce, KEY, LEAF, PROGRAM)


def test_a_login_tells_who(site: Site) -> None:
    nonce = site.challenge()
    login = site.log_in(token_for(nonce), nonce)
    assert login.certificate == LEAF
    assert login.user.municipality == "Mihon-shi"


# --- each attack, refused for its own reason ------------------------------------------------------


Attack = Callable[[Site], object]


def replay(site: Site) -> None:
    nonce = site.challenge()
    token = token_for(nonce)
    site.log_in(token, nonce)
    site.log_in(token, nonce)


def other_origin(site: Site) -> None:
    nonce = site.challenge()
    site.log_in(token_for(nonce, "https://example.com"), nonce)


def other_nonce(site: Site) -> None:
    site.log_in(token_for(site.challenge()), site.challenge())


def invented_nonce(site: Site) -> None:
    nonce = "A" * 44
    site.log_in(token_for(nonce), nonce)


def expired_nonce(site: Site) -> None:
    nonce = site.challenge()
    token = token_for(nonce)
    site.now += timedelta(minutes=5, seconds=1)
    site.log_in(token, nonce)


def nonce_of_other_session(site: Site) -> None:
    nonce = site.challenge(OTHER_SESSION)
    site.log_in(token_for(nonce), nonce)


def signature_certificate(site: Site) -> None:
    site.validator = replace(site.validator, anchors=(CA, load("signature-ca")))
    nonce = site.challenge()
    site.log_in(make_token(ORIGIN, nonce, load_key("signature"), load("signature"), PROGRAM), nonce)


def self_made_ca(site: Site) -> None:
    """A CA with every name of the right one, and a certificate with every word of a right one."""
    own_key = load_key("foreign-ca")
    own_ca = build_ca(own_key, name=ca_name(AUTHENTICATION_UNIT))
    assert own_ca.subject == CA.subject
    leaf = AUTHENTICATION_LEAF.build(KEY.public_key(), own_key)
    nonce = site.challenge()
    site.log_in(make_token(ORIGIN, nonce, KEY, leaf, PROGRAM), nonce)


def with_fields(site: Site, **fields: str) -> None:
    nonce = site.challenge()
    site.log_in(json.dumps(json.loads(token_for(nonce).to_json()) | fields), nonce)


def algorithm_none(site: Site) -> None:
    with_fields(site, algorithm="none", signature="AA==")


def hs256_keyed_with_the_public_key(site: Site) -> None:
    nonce = site.challenge()
    public = LEAF.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.digest(public, login_message(ORIGIN, nonce), hashlib.sha256)
    fields = json.loads(token_for(nonce).to_json())
    fields |= {"algorithm": "HS256", "signature": base64.b64encode(mac).decode()}
    site.log_in(json.dumps(fields), nonce)


def es256_by_a_key_of_the_attacker(site: Site) -> None:
    nonce = site.challenge()
    signature = ec.generate_private_key(ec.SECP256R1()).sign(
        login_message(ORIGIN, nonce), ec.ECDSA(hashes.SHA256())
    )
    site.log_in(replace(token_for(nonce), algorithm="ES256", signature=signature), nonce)


def ps256_though_the_key_is_right(site: Site) -> None:
    nonce = site.challenge()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = KEY.sign(login_message(ORIGIN, nonce), pss, hashes.SHA256())
    site.log_in(replace(token_for(nonce), algorithm="PS256", signature=signature), nonce)


def oversized_token(site: Site) -> None:
    with_fields(site, appVersion="https://example.org/" + "x" * MAX_TOKEN_SIZE)


@pytest.mark.parametrize(
    ("attack", "fault", "reason"),
    [
        (replay, TokenFault.NONCE_TAKEN, None),
        (invented_nonce, TokenFault.NONCE_UNKNOWN, None),
        (expired_nonce, TokenFault.NONCE_EXPIRED, None),
        (nonce_of_other_session, TokenFault.NONCE_OF_OTHER_SESSION, None),
        (other_origin, TokenFault.SIGNATURE, None),
        (other_nonce, TokenFault.SIGNATURE, None),
        (signature_certificate, TokenFault.CERTIFICATE, "wrong-policy"),
        (self_made_ca, TokenFault.CERTIFICATE, "untrusted-issuer"),
        (algorithm_none, TokenFault.ALGORITHM, None),
        (hs256_keyed_with_the_public_key, TokenFault.ALGORITHM, None),
        (es256_by_a_key_of_the_attacker, TokenFault.ALGORITHM, None),
        (ps256_though_the_key_is_right, TokenFault.ALGORITHM, None),
        (oversized_token, TokenFault.TOO_LARGE, None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_attack_is_refused_for_its_own_reason_and_tells_nobody_who(
    site: Site, attack: Attack, fault: TokenFault, reason: str | None
) -> None:
    with pytest.raises(TokenError) as caught:
        attack(site)
    assert caught.value.fault is fault
    assert reason is None or reason in caught.value.reasons
    tells_nobody(repr(caught.value), str(caught.value))


def test_a_refused_token_has_used_up_its_nonce(site: Site) -> None:
    nonce = site.challenge()
    for fault in (TokenFault.SIGNATURE, TokenFault.NONCE_TAKEN):
        with pytest.raises(TokenError) as caught:
            site.log_in(token_for(nonce, "https://example.com"), nonce)
        assert caught.value.fault is fault


# --- configuration --------------------------------------------------------------------------------


def test_a_mistake_of_the_configuration_is_found_at_the_start() -> None:
    with pytest.raises(TokenError) as caught:
        TokenValidator(origin="https://example.jp/", anchors=(CA,))
    assert caught.value.fault is TokenFault.ORIGIN
    with pytest.raises(AnchorNotCaError):
        TokenValidator(origin=ORIGIN, anchors=(LEAF,))
    with pytest.raises(ValueError, match="time zone"):
        TokenValidator(origin=ORIGIN, anchors=(CA,), clock=lambda: datetime(2026, 6, 1))  # noqa: DTZ001


def test_the_function_and_the_validator_are_one_check() -> None:
    nonce = "A" * 44
    token = token_for(nonce)
    validator = TokenValidator(origin=ORIGIN, anchors=(CA,), clock=lambda: AT)
    by_function = verify_token(token, ORIGIN, nonce, [CA], AT)
    by_validator = validator.validate(token, nonce)
    assert by_function.certificate == by_validator.certificate
    assert by_function.path == by_validator.path
    assert repr(by_function) == repr(by_validator)


def test_revocation_data_are_chosen_for_the_certificate() -> None:
    asked: list[x509.Certificate] = []

    def newest(certificate: x509.Certificate) -> RevocationMaterial:
        asked.append(certificate)
        crl = Crl(
            entries=[(certificate.serial_number, None)],
            issuer=CA.subject,
            key="authentication-ca",
            scope=scope(distribution_point(certificate)),
        )
        return RevocationMaterial(mode=RevocationMode.REQUIRE, crls=(crl.build(),))

    nonce = "A" * 44
    validator = TokenValidator(origin=ORIGIN, anchors=(CA,), revocation=newest, clock=lambda: AT)
    with pytest.raises(TokenError) as caught:
        validator.validate(token_for(nonce), nonce)
    assert caught.value.reasons == ("revoked",)
    assert asked == [LEAF]


def test_no_responder_is_asked_about_a_certificate_of_a_stranger() -> None:
    def responder(_request: bytes) -> bytes:
        raise AssertionError("asked")

    validator = TokenValidator(
        origin=ORIGIN,
        anchors=(load("signature-ca"),),
        revocation=RevocationMaterial(responder=responder),
        clock=lambda: AT,
    )
    with pytest.raises(TokenError) as caught:
        validator.validate(token_for("A" * 44), "A" * 44)
    assert caught.value.reasons == ("no-anchor",)


# --- who it was -----------------------------------------------------------------------------------


def login_with(certificate: x509.Certificate, ca: x509.Certificate = CA) -> VerifiedLogin:
    nonce = "A" * 44
    token = make_token(ORIGIN, nonce, KEY, certificate, PROGRAM)
    return verify_token(token, ORIGIN, nonce, [ca], AT)


def issued(issuer: str = "authentication-ca", **changes: object) -> x509.Certificate:
    leaf = replace(AUTHENTICATION_LEAF, **changes)  # type: ignore[arg-type]
    return leaf.build(KEY.public_key(), load_key(issuer))


NEXT_SUBJECT = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "MIHON00000TEST99999004A"),
    ]
)


def test_no_responder_is_asked_about_somebody_who_did_not_sign() -> None:
    def responder(_request: bytes) -> bytes:
        raise AssertionError("asked")

    nonce = "A" * 44
    stolen = make_token(ORIGIN, nonce, load_key("signature"), LEAF, PROGRAM)
    with pytest.raises(TokenError) as caught:
        verify_token(stolen, ORIGIN, nonce, [CA], AT, RevocationMaterial(responder=responder))
    assert caught.value.fault is TokenFault.SIGNATURE
    own = make_token(ORIGIN, nonce, KEY, LEAF, PROGRAM)
    with pytest.raises(AssertionError, match="asked"):
        verify_token(own, ORIGIN, nonce, [CA], AT, RevocationMaterial(responder=responder))


def test_the_identifiers_are_the_same_at_every_login_and_at_every_site() -> None:
    first, second = login_with(LEAF), login_with(LEAF)
    elsewhere = verify_token(
        make_token("https://example.com", "B" * 44, KEY, LEAF, PROGRAM),
        "https://example.com", "B" * 44, [CA], AT,
    )  # fmt: skip
    for login in (second, elsewhere):
        assert login.certificate_id == first.certificate_id
        assert login.subject_id == first.subject_id
    assert first.certificate_id == LEAF.fingerprint(hashes.SHA256()).hex()
    assert len(first.subject_id) == 64
    assert first.subject_id != first.certificate_id


def test_a_certificate_anew_for_the_same_subject_has_the_subjects_identifier() -> None:
    old, new = login_with(LEAF), login_with(issued(serial_number=0x01020399))
    assert new.certificate_id != old.certificate_id
    assert new.subject_id == old.subject_id


def test_another_subject_or_another_ca_key_is_somebody_else() -> None:
    renewed = login_with(issued(serial_number=0x01020399, subject=NEXT_SUBJECT))
    other_ca = build_ca(load_key("foreign-ca"), name=ca_name(AUTHENTICATION_UNIT))
    elsewhere = login_with(issued("foreign-ca"), other_ca)
    known = login_with(LEAF)
    assert len({login.subject_id for login in (known, renewed, elsewhere)}) == 3


def test_a_ca_certificate_made_anew_for_its_key_changes_nobody() -> None:
    again = build_ca(
        load_key("authentication-ca"),
        name=ca_name(AUTHENTICATION_UNIT),
        not_after=CA_UNTIL + timedelta(days=366),
    )
    assert again != CA
    assert login_with(LEAF, again).subject_id == login_with(LEAF).subject_id


def tells_nobody(*texts: str) -> None:
    """No serial number, no common name, no byte of the certificate, in no usual form."""
    der = LEAF.public_bytes(Encoding.DER)
    serial = LEAF.serial_number
    modulus = KEY.public_key().public_numbers().n
    secrets = [
        "MIHON", str(serial), f"{serial:x}", f"{serial:08X}", base64.b64encode(der).decode()[:40],
        der.hex()[:40], repr(der)[:40], f"{modulus:x}"[:20], str(modulus)[:20],
    ]  # fmt: skip
    for text in texts:
        for secret in secrets:
            assert secret.lower() not in text.lower(), f"{secret} is in {text}"


def test_what_may_be_logged_of_a_login_has_no_number_and_no_name() -> None:
    login = login_with(LEAF)
    tells_nobody(repr(login), str(login), f"{login}", "%r" % (login,))  # noqa: UP031
    assert login.subject_id in repr(login)
    assert login.certificate_id in repr(login)
    validator = TokenValidator(origin=ORIGIN, anchors=(CA,), clock=lambda: AT)
    tells_nobody(repr(validator))


def test_what_may_be_logged_of_a_token_has_no_certificate_either() -> None:
    tells_nobody(repr(token_for("A" * 44)))
