"""What stands in the extensions: the rights of a CA, other uses, other policies, conditions."""

from functools import partial

from support.attacks.case import (
    BER,
    NO_PROFILE,
    NOT_READ,
    REFUSED,
    WITHOUT_IDENTIFIER,
    Case,
    Threat,
)
from support.attacks.changing import CARD, LOGIN, USES, changed, usage, uses, value
from support.forging import (
    AUTHORITY_INFORMATION_ACCESS,
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    EXTENDED_KEY_USAGE,
    FALSE,
    ISSUER_ALT_NAME,
    JUNK,
    KEY_USAGE,
    NULL,
    POLICIES,
    SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
    TRUE,
    holder,
    integer,
    oid,
    seq,
)
from support.odd_certificates import tlv

from jpki.certificates import Reason

CLIENT = "1.3.6.1.5.5.7.3.2"

# --- the rights of a CA -------------------------------------------------------------------------

rights = partial(changed, Threat.LEAF_WITH_CA_RIGHTS)
CA = (Reason.SIGNER_IS_CA,)
CA_USE = (Reason.SIGNER_IS_CA, Reason.WRONG_KEY_USAGE)
MAY_HAVE = "OpenSSL lets a CA's certificate sign"

RIGHTS = (
    rights("no CA", (BASIC_CONSTRAINTS, seq(), TRUE)),
    rights("no CA, not critical", (BASIC_CONSTRAINTS, seq())),
    rights("CA", (BASIC_CONSTRAINTS, seq(TRUE), TRUE), reasons=CA, openssl=0, why=MAY_HAVE),
    rights("CA, not critical", (BASIC_CONSTRAINTS, seq(TRUE)), reasons=CA, openssl=89),
    rights(
        "CA of nothing below",
        (BASIC_CONSTRAINTS, seq(TRUE, integer(0)), TRUE),
        reasons=CA,
        openssl=81,
    ),
    rights(
        "no CA, with a length of path",
        (BASIC_CONSTRAINTS, seq(integer(0)), TRUE),
        reasons=REFUSED,
        openssl=80,
    ),
    rights("no CA, said aloud", (BASIC_CONSTRAINTS, seq(FALSE), TRUE), reasons=REFUSED, why=BER),
    rights("CA as 01", (BASIC_CONSTRAINTS, seq(tlv(1, b"\x01")), TRUE), reasons=REFUSED, why=BER),
    rights("keyCertSign", (KEY_USAGE, usage("110001"), TRUE), reasons=CA_USE, openssl=79),
    rights("cRLSign", (KEY_USAGE, usage("1100001"), TRUE), reasons=CA_USE, why=USES),
    rights(
        "CA and keyCertSign",
        (BASIC_CONSTRAINTS, seq(TRUE), TRUE),
        (KEY_USAGE, usage("110001"), TRUE),
        reasons=CA_USE,
        why=MAY_HAVE,
    ),
    rights(
        "a login with CA and keyCertSign",
        (BASIC_CONSTRAINTS, seq(TRUE), TRUE),
        (KEY_USAGE, usage("100001"), TRUE),
        base="authentication",
        reasons=CA_USE,
        why=MAY_HAVE,
    ),
)

# --- which extensions, and how critical ---------------------------------------------------------

odd = partial(changed, Threat.EXTENSIONS)
login = partial(odd, base="authentication")
MISMATCH = (Reason.PROFILE_MISMATCH,)
UNKNOWN = (Reason.UNKNOWN_CRITICAL_EXTENSION, Reason.PROFILE_MISMATCH)
NAME_CONSTRAINTS, POLICY_MAPPINGS, POLICY_CONSTRAINTS = (f"2.5.29.{n}" for n in (30, 33, 36))
FRESHEST_CRL, INHIBIT_ANY_POLICY, DIRECTORY_ATTRIBUTES = (f"2.5.29.{n}" for n in (46, 54, 9))
PRIVATE_USAGE_PERIOD, DELTA_CRL = "2.5.29.16", "2.5.29.27"
NETSCAPE_TYPE, QC_STATEMENTS, PROXY, NO_CHECK, TLS_FEATURE, SUBJECT_INFO, POISON = (
    "2.16.840.1.113730.1.1",
    "1.3.6.1.5.5.7.1.3",
    "1.3.6.1.5.5.7.1.14",
    "1.3.6.1.5.5.7.48.1.5",
    "1.3.6.1.5.5.7.1.24",
    "1.3.6.1.5.5.7.1.11",
    "1.3.6.1.4.1.11129.2.4.3",
)
UNKNOWN_VALUES = {
    "private": ("1.2.3.4", tlv(NULL, b"")),
    "nameConstraints": (NAME_CONSTRAINTS, seq(tlv(0xA0, seq(tlv(0x82, b"example.jp"))))),
    "policyConstraints": (POLICY_CONSTRAINTS, seq(tlv(0x80, b"\x00"))),
    "policyMappings": (POLICY_MAPPINGS, seq(seq(oid(LOGIN), oid(CARD)))),
    "inhibitAnyPolicy": (INHIBIT_ANY_POLICY, integer(0)),
    "freshestCRL": (FRESHEST_CRL, value(CRL_DISTRIBUTION_POINTS)),
    "subjectDirectoryAttributes": (
        DIRECTORY_ATTRIBUTES,
        seq(seq(oid("1.3.6.1.5.5.7.9.4"), tlv(0x31, tlv(0x13, b"JP")))),
    ),
    "privateKeyUsagePeriod": (PRIVATE_USAGE_PERIOD, seq(tlv(0x80, b"20250101000000Z"))),
    "deltaCRLIndicator": (DELTA_CRL, integer(1)),
    "Netscape certificate type": (NETSCAPE_TYPE, tlv(3, b"\x05\x20")),
    "qcStatements": (QC_STATEMENTS, seq(seq(oid("0.4.0.1862.1.1")))),
    "OCSP no check": (NO_CHECK, tlv(NULL, b"")),
    "TLS feature": (TLS_FEATURE, seq(integer(5))),
    "subjectInfoAccess": (
        SUBJECT_INFO,
        seq(seq(oid("1.3.6.1.5.5.7.48.5"), tlv(0x86, b"http://example.jp"))),
    ),
    "poison of a precertificate": (POISON, tlv(NULL, b"")),
}
PROXY_INFO = (PROXY, seq(seq(oid("1.3.6.1.5.5.7.21.1"))))
UNCRITICAL = {  # what JPKI writes without making it critical
    "subjectAltName": (SUBJECT_ALT_NAME, value(SUBJECT_ALT_NAME)),
    "issuerAltName": (ISSUER_ALT_NAME, value(ISSUER_ALT_NAME)),
    "cRLDistributionPoints": (CRL_DISTRIBUTION_POINTS, value(CRL_DISTRIBUTION_POINTS)),
    "authorityInfoAccess": (AUTHORITY_INFORMATION_ACCESS, value(AUTHORITY_INFORMATION_ACCESS)),
    "authorityKeyIdentifier": (AUTHORITY_KEY_IDENTIFIER, value(AUTHORITY_KEY_IDENTIFIER)),
    "subjectKeyIdentifier": (SUBJECT_KEY_IDENTIFIER, value(SUBJECT_KEY_IDENTIFIER)),
}
OPTIONAL = (
    "issuerAltName",
    "cRLDistributionPoints",
    "authorityInfoAccess",
    "subjectKeyIdentifier",
)
READ_BY_OPENSSL = (
    "nameConstraints",
    "policyConstraints",
    "policyMappings",
    "inhibitAnyPolicy",
    "Netscape certificate type",
    "OCSP no check",
)
OTHERS = "OpenSSL understands it; nobody looks at it here"

PRESENCE = (
    odd("as JPKI writes them"),
    login("a login as JPKI writes it"),
    *(odd(f"without {name}", (UNCRITICAL[name][0], None)) for name in OPTIONAL),
    odd(
        "without authorityKeyIdentifier",
        (AUTHORITY_KEY_IDENTIFIER, None),
        openssl=85,
        why=WITHOUT_IDENTIFIER,
    ),
    *(
        odd(f"unknown and not critical: {name}", change, reasons=MISMATCH, why=NO_PROFILE)
        for name, change in UNKNOWN_VALUES.items()
    ),
    *(
        odd(f"unknown and critical: {name}", (*change, TRUE), reasons=UNKNOWN, openssl=34)
        for name, change in UNKNOWN_VALUES.items()
        if name not in READ_BY_OPENSSL
    ),
    *(
        odd(f"critical: {name}", (*UNKNOWN_VALUES[name], TRUE), reasons=UNKNOWN, why=OTHERS)
        for name in READ_BY_OPENSSL
    ),
    odd("not critical: proxyCertInfo", PROXY_INFO, reasons=MISMATCH, openssl=20),
    odd("critical: proxyCertInfo", (*PROXY_INFO, TRUE), reasons=UNKNOWN, openssl=20),
    *(
        odd(f"critical: {name}", (*UNCRITICAL[name], TRUE), reasons=UNKNOWN, why=OTHERS)
        for name in ("subjectAltName", "cRLDistributionPoints")
    ),
    *(
        odd(f"critical: {name}", (*UNCRITICAL[name], TRUE), reasons=UNKNOWN, openssl=34)
        for name in (
            "issuerAltName",
            "authorityInfoAccess",
            "authorityKeyIdentifier",
            "subjectKeyIdentifier",
        )
    ),
    odd(
        "keyUsage not critical",
        (KEY_USAGE, value(KEY_USAGE)),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    odd(
        "certificatePolicies not critical",
        (POLICIES, value(POLICIES)),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    login(
        "extKeyUsage critical",
        (EXTENDED_KEY_USAGE, uses(CLIENT), TRUE),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    odd("no holder", (SUBJECT_ALT_NAME, None), reasons=MISMATCH, why=NO_PROFILE),
    login("a login with a holder", (SUBJECT_ALT_NAME, holder()), reasons=MISMATCH, why=NO_PROFILE),
    odd(
        "no extension at all",
        *((dotted, None) for dotted, _ in UNCRITICAL.values()),
        (KEY_USAGE, None),
        (POLICIES, None),
        reasons=(Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY, Reason.PROFILE_MISMATCH),
        openssl=85,
    ),
)

# --- values that cannot be read -----------------------------------------------------------------

UNREAD = (
    *(
        odd(f"junk as {name}", (dotted, JUNK, critical), reasons=REFUSED, openssl=20)
        for name, dotted, critical in [
            ("keyUsage", KEY_USAGE, TRUE),
            ("basicConstraints", BASIC_CONSTRAINTS, TRUE),
            ("subjectAltName", SUBJECT_ALT_NAME, b""),
            ("cRLDistributionPoints", CRL_DISTRIBUTION_POINTS, b""),
            ("authorityKeyIdentifier", AUTHORITY_KEY_IDENTIFIER, b""),
            ("subjectKeyIdentifier", SUBJECT_KEY_IDENTIFIER, b""),
        ]
    ),
    odd("junk as issuerAltName", (ISSUER_ALT_NAME, JUNK), reasons=REFUSED, why=NOT_READ),
    odd(
        "junk as authorityInfoAccess",
        (AUTHORITY_INFORMATION_ACCESS, JUNK),
        reasons=REFUSED,
        why=NOT_READ,
    ),
)

EXTENSIONS: tuple[Case, ...] = (*RIGHTS, *PRESENCE, *UNREAD)
