"""The applications and files of the card, as data. AIDs and EF numbers after public descriptions.

The numbers are repeated here on purpose: the emulator judges the toolkit and shares nothing with
it.
"""

from dataclasses import dataclass, field

from jpki.emulator.image import Alphabet, Application, DataFile, KeyFile, PinFile

CARD_MANAGER_AID = bytes.fromhex("A0000001510000")
COMMON_AID = bytes.fromhex("D3921000310001010100")
JPKI_AID = bytes.fromhex("D392F000260100000001")

EF_SIGNATURE_CERTIFICATE = 0x0001
EF_SIGNATURE_CA = 0x0002
EF_TOKEN_INFO = 0x0006
EF_CERTIFICATES_PRESENT = 0x0008
EF_AUTHENTICATION_CERTIFICATE = 0x000A
EF_AUTHENTICATION_CA = 0x000B
EF_AUTHENTICATION_KEY = 0x0017
EF_AUTHENTICATION_PIN = 0x0018
EF_SIGNATURE_KEY = 0x001A
EF_SIGNATURE_PIN = 0x001B

SIGNATURE_PIN_NAME = "signature"
AUTHENTICATION_PIN_NAME = "authentication"
SIGNATURE_TRIES = 5
AUTHENTICATION_TRIES = 3
PRESENT = 0x8F
PHONE_LABELS = frozenset({"JPKIAPGPSETOKEN", "JPKIAPIOSTOKEN"})

# The real sizes are not published; the certificates, padded with FF, must fit.
CERTIFICATE_FILE_SIZE = 2048
SIGNATURE_CERTIFICATE_FILE_SIZE = 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContent:
    """What personalisation writes into the JPKI application."""

    label: str
    signature_certificate: bytes = field(repr=False)  # empty: the card has none
    signature_ca: bytes = field(repr=False)
    authentication_certificate: bytes = field(repr=False)
    authentication_ca: bytes = field(repr=False)
    signature_key: bytes = field(repr=False)
    authentication_key: bytes = field(repr=False)
    signature_password: str = field(repr=False)
    authentication_pin: str = field(repr=False)
    signature_blocked: bool = False
    authentication_blocked: bool = False


def build_applications(content: CardContent) -> tuple[Application, ...]:
    """Lay out the card: card manager, JPKI and common application; a phone has no common one."""
    card_manager = Application(name="card-manager", aid=CARD_MANAGER_AID)
    jpki = Application(name="jpki", aid=JPKI_AID, files=_data_files(content) + _keys(content))
    if content.label in PHONE_LABELS:
        return card_manager, jpki
    return card_manager, jpki, Application(name="common", aid=COMMON_AID)


def token_info(label: str) -> bytes:
    """EF 0006: a CK_TOKEN_INFO of PKCS#11 in 160 bytes, numbers big-endian of 32 bits."""
    flags = 0x0000040D  # random numbers, login required, user PIN set, token initialised
    sessions_and_pins = (flags, 0, 0, 0, 0, 16, 6)
    return b"".join(
        (
            label.encode("ascii").ljust(32),
            b"JPKI-TEST virtual card".ljust(30) + b"01",
            b"VIRTUAL".ljust(16),
            b"0" * 16,
            *(number.to_bytes(4) for number in sessions_and_pins),
            b"\xff" * 16,  # four memory sizes: not told
            b"\x01\x00",  # hardware version
            b"\x01\x00",  # firmware version
            b"9" * 16,  # no clock
        )
    )


def _data_files(content: CardContent) -> tuple[DataFile, ...]:
    present = bytes([PRESENT if content.signature_certificate else 0x00, PRESENT, 0x00])
    free_on_a_card = (EF_AUTHENTICATION_PIN,) if content.label in PHONE_LABELS else ()
    return (
        DataFile(
            ef_id=EF_SIGNATURE_CERTIFICATE,
            content=content.signature_certificate,
            size=SIGNATURE_CERTIFICATE_FILE_SIZE,
            read_after=(EF_SIGNATURE_PIN,),
        ),
        DataFile(ef_id=EF_SIGNATURE_CA, content=content.signature_ca, size=CERTIFICATE_FILE_SIZE),
        DataFile(ef_id=EF_TOKEN_INFO, content=token_info(content.label), size=160),
        DataFile(ef_id=EF_CERTIFICATES_PRESENT, content=present, size=len(present)),
        DataFile(
            ef_id=EF_AUTHENTICATION_CERTIFICATE,
            content=content.authentication_certificate,
            size=CERTIFICATE_FILE_SIZE,
            read_after=free_on_a_card,
        ),
        DataFile(
            ef_id=EF_AUTHENTICATION_CA,
            content=content.authentication_ca,
            size=CERTIFICATE_FILE_SIZE,
        ),
    )


def _keys(content: CardContent) -> tuple[KeyFile | PinFile, ...]:
    return (
        KeyFile(
            ef_id=EF_SIGNATURE_KEY,
            private_key=content.signature_key,
            use_after=(EF_SIGNATURE_PIN,),
        ),
        PinFile(
            ef_id=EF_SIGNATURE_PIN,
            name=SIGNATURE_PIN_NAME,
            value=content.signature_password.encode("ascii"),
            tries_left=0 if content.signature_blocked else SIGNATURE_TRIES,
            max_tries=SIGNATURE_TRIES,
            min_length=6,
            max_length=16,
            alphabet=Alphabet.LETTERS_AND_DIGITS,
        ),
        KeyFile(
            ef_id=EF_AUTHENTICATION_KEY,
            private_key=content.authentication_key,
            use_after=(EF_AUTHENTICATION_PIN,),
        ),
        PinFile(
            ef_id=EF_AUTHENTICATION_PIN,
            name=AUTHENTICATION_PIN_NAME,
            value=content.authentication_pin.encode("ascii"),
            tries_left=0 if content.authentication_blocked else AUTHENTICATION_TRIES,
            max_tries=AUTHENTICATION_TRIES,
            min_length=4,
            max_length=4,
            alphabet=Alphabet.DIGITS,
        ),
    )
