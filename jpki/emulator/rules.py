"""What may stand on a card, and for how long its certificates hold."""

import datetime
import re

from jpki.emulator.image import Holder, Municipality

JST = datetime.timezone(datetime.timedelta(hours=9))
SEXES = ("male", "female", "unknown")
LABELS = ("JPKIAPICCTOKEN2", "JPKIAPICCTOKEN", "JPKIAPGPSETOKEN", "JPKIAPIOSTOKEN")
MAX_NAME_LENGTH = 100
MAX_ADDRESS_LENGTH = 200
CERTIFICATE_YEARS = 5
EARLIEST_BIRTH = datetime.date(1868, 10, 23)  # Meiji, the first era that a certificate can name
# RFC 5280 4.1.2.5.1: UTCTime ends with 2049, and JPKI's certificates have no other time. The CA
# begins a year before the card.
EARLIEST_YEAR, LAST_YEAR = 1952, 2048


def check_holder(holder: Holder) -> None:
    """Refuse a holder who cannot stand in a certificate.

    Raises:
        ValueError: says what is wrong, for people.
    """
    for what, text, most in (
        ("name", holder.name, MAX_NAME_LENGTH),
        ("address", holder.address, MAX_ADDRESS_LENGTH),
    ):
        if not text.strip():
            raise ValueError(f"the holder's {what} is empty")
        if len(text) > most:
            raise ValueError(f"the holder's {what} has more than {most} characters")
        if not text.isprintable() and not text.replace("\u3000", "").isprintable():
            raise ValueError(f"the holder's {what} has control characters")
    if holder.sex not in SEXES:
        raise ValueError(f"the holder's sex is one of {', '.join(SEXES)}")
    if holder.birth_date < EARLIEST_BIRTH:
        raise ValueError(f"the birth date is before {EARLIEST_BIRTH}")


def check_pins(signature_password: str, authentication_pin: str) -> None:
    """Refuse PINs that no card would take.

    Raises:
        ValueError: says what such a PIN looks like, for people.
    """
    if not re.fullmatch(r"[A-Z0-9]{6,16}", signature_password):
        raise ValueError("the signature password has 6 to 16 of the characters A-Z and 0-9")
    if not re.fullmatch(r"[0-9]{4}", authentication_pin):
        raise ValueError("the authentication PIN has four digits")


def check_municipality(place: Municipality) -> None:
    """Refuse what does not look like a romanised place of issue.

    Raises:
        ValueError: says what is wrong, for people.
    """
    for text in (place.prefecture, place.name):
        if not re.fullmatch(r"[A-Za-z][A-Za-z-]{0,50}", text):
            raise ValueError("prefecture and municipality are written like Tokyo-to, Chiyoda-ku")
    if not re.fullmatch(r"[0-9]{5}", place.code):
        raise ValueError("the municipality's code has five digits")


def check_label(label: str) -> None:
    """Refuse a token label that no card or phone has.

    Raises:
        ValueError: says which labels there are, for people.
    """
    if label not in LABELS:
        raise ValueError(f"the token label is one of {', '.join(LABELS)}")


def validity(
    birth_date: datetime.date,
    issued: datetime.date | datetime.datetime,
    expires: datetime.date | datetime.datetime | None,
) -> tuple[datetime.datetime, datetime.datetime]:
    """First and last second of the certificates.

    Raises:
        ValueError: there can be no such certificates; says why, for people.
    """
    first = moment(issued, end_of_day=False)
    if first.year < EARLIEST_YEAR:
        raise ValueError(f"the card was issued before {EARLIEST_YEAR}")
    last = certificate_expiry(birth_date, first)
    if expires is not None:
        last = moment(expires, end_of_day=True)
    if birth_date > first.astimezone(JST).date():
        raise ValueError("the holder was not born yet when the card was issued")
    if last <= first:
        raise ValueError("the certificates would expire before they are issued")
    if last.year > LAST_YEAR:
        raise ValueError(f"the certificates would expire after {LAST_YEAR}")
    return first, last


def moment(value: datetime.date | datetime.datetime, *, end_of_day: bool) -> datetime.datetime:
    """A date as noon or as the last second of that day in Japan; a time as it is, in UTC.

    Raises:
        ValueError: a time has no zone, or is out of the calendar's range in UTC.
    """
    if not isinstance(value, datetime.datetime):
        time = datetime.time(23, 59, 59) if end_of_day else datetime.time(12)
        value = datetime.datetime.combine(value, time, JST)
    if value.tzinfo is None:
        raise ValueError("a time needs a zone, such as Z or +09:00")
    try:
        return value.astimezone(datetime.UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("the time is out of the calendar's range") from None


def certificate_expiry(birth_date: datetime.date, issued: datetime.datetime) -> datetime.datetime:
    """The last second in Japan of the fifth birthday after the day of issue.

    One born on 29 February has the birthday on the 28th in a common year.
    """
    day = issued.astimezone(JST).date()
    passed = _birthday(birth_date, day.year) <= day
    year = day.year + CERTIFICATE_YEARS - (0 if passed else 1)
    return moment(_birthday(birth_date, year), end_of_day=True)


def _birthday(birth_date: datetime.date, year: int) -> datetime.date:
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return datetime.date(year, 2, 28)
