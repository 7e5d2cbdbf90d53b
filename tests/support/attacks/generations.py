"""Which key of the CA: generations share one name, and old ones come to their end."""

from dataclasses import replace
from datetime import datetime, timedelta

from support.attacks.case import OWN_TIME, REFUSED, WITHOUT_IDENTIFIER, Case, Der, Threat, sound_ca
from support.attacks.naming import ORGANIZATION, ca_name, identifier, key_identifier
from support.forging import (
    AUTHORITY_KEY_IDENTIFIER,
    OCTET_STRING,
    SUBJECT_KEY_IDENTIFIER,
    attribute,
    by_rsa,
    fields_of,
    forge,
    integer,
    name,
    seq,
    spki,
    time_of,
)
from support.odd_certificates import tlv
from support.pki import (
    AT,
    CA_SERIAL_NUMBER,
    CA_UNTIL,
    LEAF_FROM,
    load_key,
)

from jpki.certificates import Reason

DAY = timedelta(days=1)
NEXT_SERIAL = 0x2EA8A8
BOTH = "RFC 5280 4.2.1.1: issuer and serial number, or neither; OpenSSL does not mind"
MISMATCH = (Reason.PROFILE_MISMATCH,)

# --- generations --------------------------------------------------------------------------------


def next_root() -> bytes:
    """The next generation: the same name, another key."""
    fields = replace(
        fields_of("signature-ca"),
        public_key=spki(load_key("foreign-ca").public_key()),
        serial_number=integer(NEXT_SERIAL),
    ).with_extension(SUBJECT_KEY_IDENTIFIER, tlv(0x04, key_identifier("foreign-ca")))
    return fields.signed(by_rsa("foreign-ca"))


def renewed_root() -> bytes:
    """The same key in another certificate."""
    return forge("signature-ca", serial_number=integer(NEXT_SERIAL))


def leaf_of_next_root(value: bytes | None) -> bytes:
    fields = fields_of().with_extension(AUTHORITY_KEY_IDENTIFIER, value)
    return fields.signed(by_rsa("foreign-ca"))


def sound_leaf_of_next_root() -> bytes:
    return leaf_of_next_root(identifier("foreign-ca", ca_name(), NEXT_SERIAL))


def identified(*parts: object) -> Der:
    return lambda: leaf_of_next_root(identifier(*parts))  # type: ignore[arg-type]


def forge_identified(serial_number: int) -> bytes:
    value = identifier("signature-ca", ca_name(), serial_number)
    return fields_of().with_extension(AUTHORITY_KEY_IDENTIFIER, value).signed(by_rsa())


def generation(name_: str, leaf: Der, **rest: object) -> Case:
    both = {"anchors": (sound_ca, next_root)}
    return Case(threat=Threat.WRONG_GENERATION, name=name_, leaf=leaf, **{**both, **rest})  # type: ignore[arg-type]


def octet_name() -> bytes:
    return ca_name(organization=attribute(ORGANIZATION, "JPKI-TEST", OCTET_STRING))


IDENTIFIERS = (
    generation("the next one, both trusted", sound_leaf_of_next_root),
    generation(
        "the next one, both trusted in the other order",
        sound_leaf_of_next_root,
        anchors=(next_root, sound_ca),
    ),
    generation("the first one, both trusted", forge),
    generation("key identifier alone", identified("foreign-ca")),
    generation(
        "issuer and serial number alone",
        identified(None, ca_name(), NEXT_SERIAL),
        openssl=85,
        why=WITHOUT_IDENTIFIER,
    ),
    generation(
        "no identifier, the true one first",
        lambda: leaf_of_next_root(None),
        anchors=(next_root, sound_ca),
        openssl=85,
        why=WITHOUT_IDENTIFIER,
    ),
    generation(
        "no identifier, the true one last",
        lambda: leaf_of_next_root(None),
        openssl=85,
        why=WITHOUT_IDENTIFIER,
    ),
    generation("an empty identifier", identified(), openssl=85, why=WITHOUT_IDENTIFIER),
    generation(
        "two roots with one key, the leaf names the second",
        lambda: forge_identified(NEXT_SERIAL),
        anchors=(sound_ca, renewed_root),
    ),
    generation(
        "two roots with one key, the leaf names the first",
        lambda: forge_identified(CA_SERIAL_NUMBER),
        anchors=(renewed_root, sound_ca),
    ),
    generation(
        "the next one, the first alone trusted",
        sound_leaf_of_next_root,
        anchors=(sound_ca,),
        reasons=(Reason.UNTRUSTED_ISSUER,),
        openssl=20,
    ),
    generation(
        "the first one's identifier, the next one's signature",
        lambda: forge(sign=by_rsa("foreign-ca")),
        reasons=MISMATCH,
        openssl=7,
    ),
    generation(
        "the first one's identifier and the next one's signature, which alone is trusted",
        lambda: forge(sign=by_rsa("foreign-ca")),
        anchors=(next_root,),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "key identifier of the next one, serial number of the first",
        identified("foreign-ca", ca_name(), CA_SERIAL_NUMBER),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "serial number of the next one, key identifier of the first",
        identified("signature-ca", ca_name(), NEXT_SERIAL),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "another issuer's name",
        identified("foreign-ca", name((attribute(ORGANIZATION, "JPKI"),)), NEXT_SERIAL),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "the issuer's name an OCTET STRING",
        identified("foreign-ca", octet_name(), NEXT_SERIAL),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "a key identifier cut short",
        lambda: leaf_of_next_root(seq(tlv(0x80, key_identifier("foreign-ca")[:-1]))),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "an empty key identifier",
        lambda: leaf_of_next_root(seq(tlv(0x80, b""))),
        reasons=MISMATCH,
        openssl=20,
    ),
    generation(
        "issuer without serial number",
        identified("foreign-ca", ca_name()),
        reasons=REFUSED,
        why=BOTH,
    ),
    generation(
        "serial number without issuer",
        identified("foreign-ca", None, NEXT_SERIAL),
        reasons=REFUSED,
        why=BOTH,
    ),
)


# --- a root that is over ------------------------------------------------------------------------


def root(not_before: datetime, not_after: datetime) -> Der:
    validity = seq(time_of(not_before), time_of(not_after))
    return lambda: forge("signature-ca", validity=validity)


def leaf_until(moment: datetime) -> Der:
    return lambda: forge(validity=seq(time_of(LEAF_FROM), time_of(moment)))


def old(name_: str, **rest: object) -> Case:
    arguments = {"anchors": (root(LEAF_FROM - 300 * DAY, AT - DAY),), **rest}
    return Case(threat=Threat.OLD_ROOT, name=name_, **arguments)  # type: ignore[arg-type]


OLD_ROOTS = (
    old("both were valid then", leaf=leaf_until(AT - 2 * DAY), at=AT - 30 * DAY),
    old("to the root's last second", leaf=leaf_until(AT - DAY), at=AT - 2 * DAY),
    old(
        "both are over",
        leaf=leaf_until(AT - 2 * DAY),
        reasons=(Reason.EXPIRED, Reason.ANCHOR_EXPIRED),
        openssl=10,
    ),
    old(
        "the leaf lives longer, now",
        leaf=forge,
        reasons=(Reason.ANCHOR_EXPIRED, Reason.OUTSIDE_ANCHOR_VALIDITY),
        openssl=10,
    ),
    old(
        "the leaf lives longer, then",
        leaf=forge,
        at=AT - 30 * DAY,
        reasons=(Reason.OUTSIDE_ANCHOR_VALIDITY,),
        why=OWN_TIME,
    ),
    old(
        "the leaf is older than the root",
        leaf=forge,
        anchors=(root(LEAF_FROM + DAY, CA_UNTIL),),
        reasons=(Reason.OUTSIDE_ANCHOR_VALIDITY,),
        why=OWN_TIME,
    ),
    old(
        "the root is not valid yet",
        leaf=forge,
        anchors=(root(AT + DAY, CA_UNTIL),),
        reasons=(Reason.ANCHOR_NOT_YET_VALID, Reason.OUTSIDE_ANCHOR_VALIDITY),
        openssl=9,
    ),
)


GENERATIONS: tuple[Case, ...] = (*IDENTIFIERS, *OLD_ROOTS)
