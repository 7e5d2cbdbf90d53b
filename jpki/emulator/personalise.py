"""Personalisation: make the file of a virtual card for an invented holder."""

import datetime
import errno
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from jpki.emulator.card import VirtualCard
from jpki.emulator.card_file import CardFile, CardFileError, read_card_file, write_card_file
from jpki.emulator.faults import Faults
from jpki.emulator.image import CardImage, DataFile, Holder, Municipality
from jpki.emulator.issue import CardKeys, issue_certificates
from jpki.emulator.layout import (
    AUTHENTICATION_PIN_NAME,
    EF_AUTHENTICATION_CA,
    EF_CERTIFICATES_PRESENT,
    EF_SIGNATURE_CA,
    JPKI_AID,
    PRESENT,
    SIGNATURE_PIN_NAME,
    CardContent,
    build_applications,
)
from jpki.emulator.rules import (
    check_holder,
    check_label,
    check_municipality,
    check_pins,
    validity,
)

# from OpenSC: the only ATR that its JPKI driver knows; the card is of the contact kind.
DEFAULT_ATR = bytes.fromhex("3BE000FF8131FE4514")
# No 0 and O, no 1 and I: these are read from a screen and typed.
READABLE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
READABLE_DIGITS = "23456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDescription:
    """A PIN of a virtual card, which is no secret."""

    name: str  # "signature" or "authentication"
    value: str
    tries_left: int
    max_tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDescription:
    """What is to be known of a card file without putting the card to use."""

    path: Path
    label: str
    holder: Holder
    issued: datetime.datetime
    expires: datetime.datetime
    has_signature_certificate: bool
    pins: tuple[PinDescription, ...] = field(default=())

    def pin(self, name: str) -> PinDescription:
        """The PIN "signature" or "authentication".

        Raises:
            KeyError: the card has no PIN of that name.
        """
        return {pin.name: pin for pin in self.pins}[name]


def create_card(
    path: Path | str,
    *,
    name: str = "見本　太郎",
    address: str = "東京都千代田区見本町１丁目２番３号",
    birth_date: datetime.date = datetime.date(1985, 4, 1),
    sex: str = "male",
    issued: datetime.date | datetime.datetime | None = None,
    expires: datetime.date | datetime.datetime | None = None,
    signature_password: str | None = None,
    authentication_pin: str | None = None,
    prefecture: str = "Tokyo-to",
    municipality: str = "Chiyoda-ku",
    municipality_code: str = "13101",
    with_signature_certificate: bool = True,
    face_authentication: bool = False,
    label: str = "JPKIAPICCTOKEN2",
    atr: bytes = DEFAULT_ATR,
    keys: CardKeys | None = None,
    overwrite: bool = False,
) -> CardDescription:
    """Personalise a virtual card into the file path, mode 0600, with a CA made for it alone.

    PINs that are not given are drawn at random; the description tells them. ``issued`` is now
    unless given (a date means noon in Japan); ``expires`` is by rule the fifth birthday after it
    (a date means its last second in Japan). Without a signature certificate, as a child's card,
    the signature PIN is blocked; with face authentication both PINs are. ``keys`` saves the time
    that making four RSA keys takes.

    Raises:
        ValueError: a value cannot stand on a card; the text is for people.
        FileExistsError: the file is there, and ``overwrite`` was not given.
        OSError: the file cannot be written.
    """
    path = Path(path)
    holder = Holder(name=name, address=address, birth_date=birth_date, sex=sex)
    place = Municipality(prefecture=prefecture, name=municipality, code=municipality_code)
    password = _draw_password() if signature_password is None else signature_password
    pin = _draw_pin() if authentication_pin is None else authentication_pin
    check_holder(holder)
    check_municipality(place)
    check_pins(password, pin)
    check_label(label)
    not_before, not_after = validity(birth_date, issued or _now(), expires)
    if not overwrite and path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    keys = keys or CardKeys.generate()
    issue = issue_certificates(keys, holder, place, not_before=not_before, not_after=not_after)
    content = CardContent(
        label=label,
        signature_certificate=issue.signature if with_signature_certificate else b"",
        signature_ca=issue.signature_ca,
        authentication_certificate=issue.authentication,
        authentication_ca=issue.authentication_ca,
        signature_key=keys.signature,
        authentication_key=keys.authentication,
        signature_password=password,
        authentication_pin=pin,
        signature_blocked=face_authentication or not with_signature_certificate,
        authentication_blocked=face_authentication,
    )
    image = CardImage(
        atr=atr,
        label=label,
        holder=holder,
        issued=not_before,
        expires=not_after,
        applications=build_applications(content),
    )
    write_card_file(path, image, replace=overwrite)
    return describe_card(path)


def load_card(path: Path | str, *, faults: Faults | None = None) -> VirtualCard:
    """Make a card of a card file; PINs are kept in that file.

    Raises:
        OSError: the file cannot be read.
        CardFileError: it is no card file, or a damaged one.
    """
    return VirtualCard(CardFile(Path(path)), faults=faults)


def describe_card(path: Path | str) -> CardDescription:
    """Tell what is in a card file.

    Raises:
        OSError: the file cannot be read.
        CardFileError: it is no card file, or a damaged one.
    """
    path = Path(path)
    image = read_card_file(path)
    present = _jpki_data(image, EF_CERTIFICATES_PRESENT)
    return CardDescription(
        path=path,
        label=image.label,
        holder=image.holder,
        issued=image.issued,
        expires=image.expires,
        has_signature_certificate=present[:1] == bytes([PRESENT]),
        pins=tuple(
            PinDescription(
                name=pin.name,
                value=pin.value.decode("latin-1"),
                tries_left=pin.tries_left,
                max_tries=pin.max_tries,
            )
            for pin in image.pins()
        ),
    )


def export_ca(path: Path | str, folder: Path | str) -> tuple[Path, Path]:
    """Write a card's CAs to a folder -> their paths.

    They are called ``signature-ca.pem`` and ``authentication-ca.pem``. The folder is made where it
    is missing.

    Raises:
        OSError: the card file cannot be read, or the folder not be written to.
        CardFileError: it is no card file, or one without CA certificates.
    """
    import ssl

    path, folder = Path(path), Path(folder)
    image = read_card_file(path)
    folder.mkdir(parents=True, exist_ok=True)
    files = (
        (folder / f"{SIGNATURE_PIN_NAME}-ca.pem", EF_SIGNATURE_CA),
        (folder / f"{AUTHENTICATION_PIN_NAME}-ca.pem", EF_AUTHENTICATION_CA),
    )
    for target, ef_id in files:
        certificate = _jpki_data(image, ef_id)
        if not certificate:
            raise CardFileError(path, f"there is no CA certificate in EF {ef_id:04X}")
        target.write_text(ssl.DER_cert_to_PEM_cert(certificate), encoding="ascii")
    return files[0][0], files[1][0]


def _jpki_data(image: CardImage, ef_id: int) -> bytes:
    for application in image.applications:
        file = application.file(ef_id) if application.aid == JPKI_AID else None
        if isinstance(file, DataFile):
            return file.content
    return b""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _draw_password() -> str:
    """Eight characters, letters and digits both."""
    letters = (secrets.choice(READABLE_LETTERS) for _ in range(4))
    digits = (secrets.choice(READABLE_DIGITS) for _ in range(4))
    return "".join((*letters, *digits))


def _draw_pin() -> str:
    """Four different digits that are no year of our time."""
    digits = list("3456789")
    secrets.SystemRandom().shuffle(digits)
    return "".join(digits[:4])
