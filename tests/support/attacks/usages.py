"""What it is for: key usages, extended key usages and policies that JPKI does not write."""

from functools import partial

from support.attacks.case import (
    BER,
    NO_PROFILE,
    REFUSED,
    Case,
    Threat,
)
from support.attacks.changing import (
    ARC,
    CARD,
    LOGIN,
    PHONE,
    TEST,
    USES,
    changed,
    usage,
    uses,
)
from support.forging import (
    EXTENDED_KEY_USAGE,
    IA5_STRING,
    JUNK,
    KEY_USAGE,
    POLICIES,
    TRUE,
    integer,
    oid,
    policies,
    seq,
)
from support.odd_certificates import tlv

from jpki.certificates import Reason

ANY_POLICY = "2.5.29.32.0"
CLIENT, SERVER, EMAIL = (f"1.3.6.1.5.5.7.3.{number}" for number in (2, 1, 4))
ANY_USE = "2.5.29.37.0"
odd = partial(changed, Threat.EXTENSIONS)
login = partial(odd, base="authentication")
MISMATCH = (Reason.PROFILE_MISMATCH,)

# --- key usage ----------------------------------------------------------------------------------

WRONG_USE = (Reason.WRONG_KEY_USAGE,)
KEY_USAGES = {
    "digitalSignature": "1",
    "nonRepudiation": "01",
    "digitalSignature and keyEncipherment": "101",
    "both and keyEncipherment": "111",
    "both and dataEncipherment": "1101",
    "both and keyAgreement": "11001",
}

USAGES = (
    odd("keyUsage missing", (KEY_USAGE, None), reasons=WRONG_USE, why=USES),
    *(
        odd(f"keyUsage {name}", (KEY_USAGE, usage(bits), TRUE), reasons=WRONG_USE, why=USES)
        for name, bits in KEY_USAGES.items()
    ),
    odd("keyUsage keyEncipherment", (KEY_USAGE, usage("001"), TRUE), reasons=WRONG_USE, openssl=26),
    odd(
        "keyUsage without a bit",
        (KEY_USAGE, bytes.fromhex("030100"), TRUE),
        reasons=WRONG_USE,
        openssl=20,
    ),
    odd(
        "keyUsage with bits that are not used",
        (KEY_USAGE, bytes.fromhex("030206FF"), TRUE),
        reasons=REFUSED,
        why=BER,
    ),
    odd(
        "keyUsage with zeros at its end",
        (KEY_USAGE, bytes.fromhex("030200C0"), TRUE),
        reasons=WRONG_USE,
        why=BER,
    ),
    odd(
        "keyUsage with a tenth bit",
        (KEY_USAGE, usage("1100000001"), TRUE),
        reasons=WRONG_USE,
        why=USES,
    ),
    odd(
        "keyUsage encipherOnly without keyAgreement",
        (KEY_USAGE, usage("11000001"), TRUE),
        reasons=REFUSED,
        why=USES,
    ),
    odd("keyUsage an INTEGER", (KEY_USAGE, integer(0xC0), TRUE), reasons=REFUSED, openssl=20),
    login("a login without keyUsage", (KEY_USAGE, None), reasons=WRONG_USE, why=USES),
    login("a login with both", (KEY_USAGE, usage("11"), TRUE), reasons=WRONG_USE, why=USES),
    login(
        "a login with nonRepudiation", (KEY_USAGE, usage("01"), TRUE), reasons=WRONG_USE, openssl=26
    ),
    login(
        "a login without extKeyUsage",
        (EXTENDED_KEY_USAGE, None),
        reasons=(*WRONG_USE, *MISMATCH),
        why=NO_PROFILE,
    ),
    *(
        login(
            f"a login for {name}",
            (EXTENDED_KEY_USAGE, uses(*dotted)),
            reasons=WRONG_USE,
            openssl=26,
        )
        for name, dotted in {"servers": [SERVER], "mail": [EMAIL], "anything": [ANY_USE]}.items()
    ),
    *(
        login(
            f"a login for {name}",
            (EXTENDED_KEY_USAGE, uses(*dotted)),
            reasons=WRONG_USE,
            why=NO_PROFILE,
        )
        for name, dotted in {
            "clients and servers": [CLIENT, SERVER],
            "clients and anything": [CLIENT, ANY_USE],
            "clients twice": [CLIENT, CLIENT],
        }.items()
    ),
    login("a login for nothing", (EXTENDED_KEY_USAGE, seq()), reasons=REFUSED, openssl=26),
    odd(
        "a signature for mail",
        (EXTENDED_KEY_USAGE, uses(EMAIL)),
        reasons=(*WRONG_USE, *MISMATCH),
        why=NO_PROFILE,
    ),
    odd(
        "a signature for clients",
        (EXTENDED_KEY_USAGE, uses(CLIENT)),
        reasons=(*WRONG_USE, *MISMATCH),
        openssl=26,
    ),
)

# --- policies -----------------------------------------------------------------------------------

WRONG_POLICY = (Reason.WRONG_POLICY,)
QUALIFIER = seq(oid("1.3.6.1.5.5.7.2.1"), tlv(IA5_STRING, b"http://www.jpki.go.jp/cps.html"))


def policy(name: str, encoded: bytes | None, **expected: object) -> Case:
    return odd(name, (POLICIES, encoded, TRUE), base="signature", **expected)


POLICY = (
    policy("the policy of cards", policies(CARD)),
    policy("the policy of phones", policies(PHONE)),
    policy("the policy of tests", policies(TEST)),
    policy("a policy with its CPS", seq(seq(oid(CARD), seq(QUALIFIER)))),
    policy("no policies", None, reasons=WRONG_POLICY, openssl=43),
    policy("an empty list of policies", seq(), reasons=WRONG_POLICY, openssl=43),
    policy(
        "any policy",
        policies(ANY_POLICY),
        reasons=WRONG_POLICY,
        why="so RFC 5280 has it; JPKI never writes it",
    ),
    policy("the policy of logins", policies(LOGIN), reasons=WRONG_POLICY, openssl=43),
    policy("a policy above", policies(ARC), reasons=WRONG_POLICY, openssl=43),
    policy("a policy below", policies(f"{CARD}.1"), reasons=WRONG_POLICY, openssl=43),
    policy("a policy beside", policies(f"{ARC}.1.30"), reasons=WRONG_POLICY, openssl=43),
    policy("two policies", policies(CARD, LOGIN), reasons=WRONG_POLICY, why=NO_PROFILE),
    policy("a policy and any", policies(CARD, ANY_POLICY), reasons=WRONG_POLICY, why=NO_PROFILE),
    policy("a policy twice", policies(CARD, CARD), reasons=WRONG_POLICY, openssl=42),
    policy("policies that are junk", JUNK, reasons=REFUSED, openssl=42),
    login(
        "a login with the policy of cards",
        (POLICIES, policies(CARD), TRUE),
        reasons=WRONG_POLICY,
        openssl=43,
    ),
    login(
        "a login with the policy of tests",
        (POLICIES, policies(TEST), TRUE),
        reasons=WRONG_POLICY,
        openssl=43,
    ),
    login(
        "a login with both policies",
        (POLICIES, policies(LOGIN, CARD), TRUE),
        reasons=WRONG_POLICY,
        why=NO_PROFILE,
    ),
)

USES_AND_POLICIES: tuple[Case, ...] = (*USAGES, *POLICY)
