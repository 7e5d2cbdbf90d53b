"""What a caller may give as an anchor: roots, and what is none."""

from cryptography.hazmat.primitives import hashes
from support.attacks.case import NO_CA, NO_PROFILE, Case, Der, Threat, sound_ca
from support.attacks.changing import usage
from support.attacks.naming import ca_name, identifier, key_identifier
from support.attacks.roots import issued_by_card
from support.forging import (
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    KEY_USAGE,
    POLICIES,
    SHA256_WITH_RSA,
    SUBJECT_KEY_IDENTIFIER,
    TRUE,
    algorithm,
    attribute,
    bits,
    by_rsa,
    fields_of,
    forge,
    integer,
    name,
    policies,
    seq,
    spki,
)
from support.odd_certificates import tlv
from support.pki import load_key

from jpki.certificates import Reason

ANCHOR = "RFC 5280 6.1.1 (d): an anchor is a name and a key, and who gave it answers for it"
BRIDGE = "JPKI is not reached over bridges: a path is a leaf and its root"
OTHER_ROOT = name((attribute("2.5.4.10", "Bridge"),))


def case(name_: str, anchor: Der, **expected: object) -> Case:
    arguments = {"leaf": forge, "anchors": (anchor,), **expected}
    return Case(threat=Threat.NO_ROOT, name=name_, **arguments)  # type: ignore[arg-type]


def changed(*changes: tuple[str, bytes | None] | tuple[str, bytes | None, bytes]) -> Der:
    """The root, extensions changed."""

    def root() -> bytes:
        fields = fields_of("signature-ca")
        for change in changes:
            fields = fields.with_extension(*change)
        return fields.signed(by_rsa())

    return root


def cross_certificate() -> bytes:
    """The CA's name and key, certified by another root."""
    fields = (
        fields_of("signature-ca")
        .with_extension(AUTHORITY_KEY_IDENTIFIER, identifier("foreign-ca"))
        .with_extension(POLICIES, policies("2.5.29.32.0"))
    )
    crossed = seq(
        fields.version, integer(77), fields.inner, OTHER_ROOT, fields.validity, fields.subject,
        fields.public_key, tlv(0xA3, seq(*fields.extensions)),
    )  # fmt: skip
    return seq(crossed, SHA256_WITH_RSA, bits(by_rsa("foreign-ca")(crossed)))


def other_root() -> bytes:
    fields = fields_of("signature-ca").with_extension(
        SUBJECT_KEY_IDENTIFIER, tlv(4, key_identifier("foreign-ca"))
    )
    public_key = spki(load_key("foreign-ca").public_key())
    tbs = seq(
        fields.version, integer(78), fields.inner, OTHER_ROOT, fields.validity, OTHER_ROOT,
        public_key, tlv(0xA3, seq(*fields.extensions)),
    )  # fmt: skip
    return seq(tbs, SHA256_WITH_RSA, bits(by_rsa("foreign-ca")(tbs)))


def badly_signed() -> bytes:
    """The root with the signature of another key under it."""
    return forge("signature-ca", sign=by_rsa("foreign-ca"))


def crossed_leaf() -> bytes:
    """A leaf whose identifier the cross-certificate does not contradict."""
    value = identifier("signature-ca")
    return fields_of().with_extension(AUTHORITY_KEY_IDENTIFIER, value).signed(by_rsa())


NOT_CAS = {
    "CA false": (changed((BASIC_CONSTRAINTS, seq(), TRUE)), 79),
    "no basicConstraints": (changed((BASIC_CONSTRAINTS, None)), 79),
    "cRLSign without keyCertSign": (changed((KEY_USAGE, usage("0000001"), TRUE)), 79),
    "no keyUsage": (changed((KEY_USAGE, None)), 92),
    "version 1": (lambda: forge("signature-ca", version=b"", extensions=()), 79),
}

ANCHORS: tuple[Case, ...] = (
    case("the root", sound_ca),
    case("pathLenConstraint 0", changed((BASIC_CONSTRAINTS, seq(TRUE, integer(0)), TRUE))),
    case(
        "no subjectKeyIdentifier", changed((SUBJECT_KEY_IDENTIFIER, None)), openssl=86, why=ANCHOR
    ),
    case("a root whose own signature is of another key", badly_signed, openssl=7, why=ANCHOR),
    case(
        "a root that SHA-1 signs",
        lambda: forge(
            "signature-ca",
            inner=algorithm("1.2.840.113549.1.1.5"),
            outer=algorithm("1.2.840.113549.1.1.5"),
            sign=by_rsa(hash_=hashes.SHA1),
        ),
    ),
    case("the root's cross-certificate", cross_certificate, leaf=crossed_leaf, partial_chain=True),
    case(
        "another root, and the cross-certificate came along",
        other_root,
        leaf=crossed_leaf,
        others=(cross_certificate,),
        reasons=(Reason.NO_ANCHOR,),
        why=BRIDGE,
    ),
    *(
        case(name_, root, reasons=NO_CA, openssl=number)
        for name_, (root, number) in NOT_CAS.items()
    ),
    case(
        "a leaf, under which a card issued",
        forge,
        leaf=issued_by_card,
        partial_chain=True,
        reasons=NO_CA,
        openssl=79,
    ),
    case("the leaf itself", forge, partial_chain=True, reasons=NO_CA, why=ANCHOR),
    case(
        "the root, and a leaf beside it",
        sound_ca,
        anchors=(sound_ca, forge),
        reasons=NO_CA,
        why=NO_PROFILE,
    ),
    case(
        "a condition that nobody looks at",
        changed(("1.2.3.4", tlv(5, b""), TRUE)),
        reasons=(Reason.UNKNOWN_CRITICAL_EXTENSION,),
        openssl=34,
    ),
    case(
        "names that the leaf does not have",
        changed(("2.5.29.30", seq(tlv(0xA0, seq(tlv(0xA4, ca_name())))), TRUE)),
        reasons=(Reason.UNKNOWN_CRITICAL_EXTENSION,),
        openssl=47,
    ),
    case(
        "policies that the leaf does not have",
        changed(("2.5.29.36", seq(tlv(0x80, b"\x00"), tlv(0x81, b"\x00")), TRUE)),
        reasons=(Reason.UNKNOWN_CRITICAL_EXTENSION,),
        why=NO_PROFILE,
    ),
)
