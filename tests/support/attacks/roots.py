"""Who issued it: false roots, cards, roots that sign, other hierarchies, other purposes."""

from dataclasses import replace

from support.attacks.case import Case, Threat, login_ca, sound_ca
from support.attacks.naming import (
    COMMON_NAME,
    COUNTRY,
    ORGANIZATION,
    ca_name,
    identifier,
    key_identifier,
)
from support.forging import (
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    KEY_USAGE,
    PRINTABLE_STRING,
    TRUE,
    attribute,
    by_rsa,
    fields_of,
    forge,
    name,
    seq,
    spki,
)
from support.odd_certificates import tlv
from support.pki import CA_SERIAL_NUMBER, load_key

from jpki.certificates import Purpose, Reason

# --- a root of the attacker's making ------------------------------------------------------------


def false_root() -> bytes:
    """Name, serial number, dates and key identifier are the true root's."""
    public_key = spki(load_key("foreign-ca").public_key())
    return forge("signature-ca", public_key=public_key, sign=by_rsa("foreign-ca"))


def under_false_root() -> bytes:
    return forge(sign=by_rsa("foreign-ca"))


FALSE_ROOTS = (
    Case(threat=Threat.FALSE_ROOT, name="the true root", leaf=forge),
    Case(
        threat=Threat.FALSE_ROOT,
        name="the true root, a false one came along",
        leaf=forge,
        others=(false_root,),
    ),
    Case(
        threat=Threat.FALSE_ROOT,
        name="same name, serial and key identifier; it came along",
        leaf=under_false_root,
        others=(false_root,),
        reasons=(Reason.UNTRUSTED_ISSUER,),
        openssl=7,
    ),
    Case(
        threat=Threat.FALSE_ROOT,
        name="no anchor, and the root came along",
        leaf=forge,
        anchors=(),
        others=(sound_ca,),
        reasons=(Reason.NO_ANCHOR,),
        openssl=19,
    ),
)

# --- a card as a CA -----------------------------------------------------------------------------


def issued_by_card(base: str = "signature") -> bytes:
    """A card signs any digest: here that of a certificate which names it as the issuer."""
    fields = fields_of(base)
    subject = name((attribute(COUNTRY, "JP", PRINTABLE_STRING),), (attribute(COMMON_NAME, "X"),))
    forged = replace(fields, issuer=fields.subject, subject=subject).with_extension(
        AUTHORITY_KEY_IDENTIFIER, seq(tlv(0x80, key_identifier(base)))
    )
    return forged.signed(by_rsa(base))


def signed_by_card(*, identifies_card: bool) -> bytes:
    """It names the CA as the issuer, and the card's key signed."""
    fields = fields_of()
    if identifies_card:
        identifier = seq(tlv(0x80, key_identifier("signature")))
        fields = fields.with_extension(AUTHORITY_KEY_IDENTIFIER, identifier)
    return fields.signed(by_rsa("signature"))


def card_with_ca_rights() -> bytes:
    """What a card's certificate would have to be."""
    fields = fields_of().with_extension(BASIC_CONSTRAINTS, seq(TRUE), TRUE)
    return fields.with_extension(KEY_USAGE, bytes.fromhex("030202C4"), TRUE).signed(by_rsa())


def self_signed_by_card() -> bytes:
    fields = replace(fields_of(), issuer=fields_of().subject)
    value = seq(tlv(0x80, key_identifier("signature")))
    return fields.with_extension(AUTHORITY_KEY_IDENTIFIER, value).signed(by_rsa("signature"))


CARDS = (
    Case(threat=Threat.CARD_AS_CA, name="signed by the CA", leaf=forge, others=(forge,)),
    Case(
        threat=Threat.CARD_AS_CA,
        name="issued by a signature certificate",
        leaf=issued_by_card,
        others=(forge,),
        reasons=(Reason.NO_ANCHOR,),
        openssl=79,
    ),
    Case(
        threat=Threat.CARD_AS_CA,
        name="issued by a leaf that its CA gave the rights of a CA",
        leaf=issued_by_card,
        others=(card_with_ca_rights,),
        reasons=(Reason.NO_ANCHOR,),
        why="JPKI has no intermediates, so none are looked for",
    ),
    Case(
        threat=Threat.CARD_AS_CA,
        name="issued by an authentication certificate",
        leaf=lambda: issued_by_card("authentication"),
        others=(lambda: forge("authentication"),),
        anchors=(login_ca,),
        purpose=Purpose.LOGIN,
        reasons=(Reason.NO_ANCHOR,),
        openssl=79,
    ),
    Case(
        threat=Threat.CARD_AS_CA,
        name="in the name of the CA",
        leaf=lambda: signed_by_card(identifies_card=False),
        others=(forge,),
        reasons=(Reason.UNTRUSTED_ISSUER,),
        openssl=7,
    ),
    Case(
        threat=Threat.CARD_AS_CA,
        name="in the name of the CA, with the card's key identifier",
        leaf=lambda: signed_by_card(identifies_card=True),
        others=(forge,),
        reasons=(Reason.UNTRUSTED_ISSUER,),
        openssl=20,
    ),
    Case(
        threat=Threat.CARD_AS_CA,
        name="self-signed by the card",
        leaf=self_signed_by_card,
        reasons=(Reason.NO_ANCHOR,),
        openssl=18,
    ),
)

# --- the root itself ----------------------------------------------------------------------------

ROOT_AS_SIGNER = (
    Reason.SIGNER_IS_CA,
    Reason.WRONG_KEY_USAGE,
    Reason.WRONG_POLICY,
    Reason.PROFILE_MISMATCH,
)

ROOTS_AS_SIGNERS = (
    Case(threat=Threat.ANCHOR_AS_SIGNER, name="a leaf", leaf=forge),
    Case(
        threat=Threat.ANCHOR_AS_SIGNER,
        name="signs a document",
        leaf=sound_ca,
        reasons=ROOT_AS_SIGNER,
        openssl=26,
    ),
    Case(
        threat=Threat.ANCHOR_AS_SIGNER,
        name="logs in",
        leaf=lambda: forge("authentication-ca"),
        anchors=(login_ca,),
        purpose=Purpose.LOGIN,
        reasons=ROOT_AS_SIGNER,
        openssl=26,
    ),
)

# --- the test hierarchy -------------------------------------------------------------------------


def production_root() -> bytes:
    """The test root's key under the name of J-LIS's root."""
    named = ca_name(organization=attribute(ORGANIZATION, "JPKI"))
    return forge("signature-ca", issuer=named, subject=named)


def production_leaf(**changes: bytes) -> bytes:
    named = ca_name(organization=attribute(ORGANIZATION, "JPKI"))
    value = identifier("signature-ca", named, CA_SERIAL_NUMBER)
    fields = replace(fields_of(), issuer=named, **changes)  # type: ignore[arg-type]
    return fields.with_extension(AUTHORITY_KEY_IDENTIFIER, value).signed(by_rsa())


HIERARCHIES = (
    Case(threat=Threat.TEST_HIERARCHY, name="test leaf, test root", leaf=forge),
    Case(
        threat=Threat.TEST_HIERARCHY,
        name="leaf and root of one name",
        leaf=production_leaf,
        anchors=(production_root,),
    ),
    Case(
        threat=Threat.TEST_HIERARCHY,
        name="test leaf, root in the name of J-LIS",
        leaf=forge,
        anchors=(production_root,),
        others=(sound_ca,),
        reasons=(Reason.NO_ANCHOR,),
        openssl=19,
    ),
    Case(
        threat=Threat.TEST_HIERARCHY,
        name="leaf in the name of J-LIS, test root",
        leaf=production_leaf,
        reasons=(Reason.NO_ANCHOR,),
        openssl=20,
    ),
)

# --- purpose ------------------------------------------------------------------------------------

WRONG = (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)


def sound_login() -> bytes:
    return forge("authentication")


PURPOSES = (
    Case(threat=Threat.WRONG_PURPOSE, name="a signature signs", leaf=forge),
    Case(
        threat=Threat.WRONG_PURPOSE,
        name="an authentication logs in",
        leaf=sound_login,
        anchors=(login_ca,),
        purpose=Purpose.LOGIN,
    ),
    Case(
        threat=Threat.WRONG_PURPOSE,
        name="an authentication signs",
        leaf=sound_login,
        anchors=(login_ca,),
        reasons=WRONG,
        openssl=26,
    ),
    Case(
        threat=Threat.WRONG_PURPOSE,
        name="a signature logs in",
        leaf=forge,
        purpose=Purpose.LOGIN,
        reasons=WRONG,
        openssl=43,
    ),
    Case(
        threat=Threat.WRONG_PURPOSE,
        name="an authentication under the root of signatures",
        leaf=sound_login,
        purpose=Purpose.LOGIN,
        reasons=(Reason.NO_ANCHOR,),
        openssl=20,
    ),
    Case(
        threat=Threat.WRONG_PURPOSE,
        name="a signature under the root of authentications",
        leaf=forge,
        anchors=(login_ca,),
        reasons=(Reason.NO_ANCHOR,),
        openssl=20,
    ),
)


ROOTS: tuple[Case, ...] = (*FALSE_ROOTS, *CARDS, *ROOTS_AS_SIGNERS, *HIERARCHIES, *PURPOSES)
