"""Words for what a certificate says."""

from datetime import date

from cli.translation import _
from jpki.certificates import CertificateKind, Era, HolderAttribute, HolderFaultKind, Medium, Sex


def kind_text(kind: CertificateKind) -> str:
    """What a certificate is for."""
    match kind:
        case CertificateKind.SIGNATURE:
            return _("signature certificate (署名用電子証明書)")
        case CertificateKind.AUTHENTICATION:
            return _("authentication certificate (利用者証明用電子証明書)")
        case CertificateKind.SIGNATURE_CA:
            return _("CA of signature certificates")
        case CertificateKind.AUTHENTICATION_CA:
            return _("CA of authentication certificates")
        case CertificateKind.JPKI_UNKNOWN:
            return _("certificate of JPKI (公的個人認証サービス), of a kind that is not known")
        case CertificateKind.UNKNOWN:
            return _("not a certificate of a My Number Card")


def medium_text(medium: Medium) -> str:
    """Where the key is."""
    match medium:
        case Medium.CARD:
            return _("card")
        case Medium.SMARTPHONE:
            return _("smartphone")


def sex_text(sex: Sex | None) -> str | None:
    """The holder's sex."""
    match sex:
        case Sex.MALE:
            return _("male")
        case Sex.FEMALE:
            return _("female")
        case Sex.OTHER:
            return _("other")
        case None:
            return None


def era_date_text(day: date | None, era: Era | None) -> str | None:
    """A date with its Japanese year, as the certificate writes it."""
    if day is None or era is None:
        return None
    year = era.year_of(day)
    if year is None:
        return _("{date} (era: {era})").format(date=day.isoformat(), era=era_text(era))
    template = _("{date} ({era} 1)") if year == 1 else _("{date} ({era} {year})")
    return template.format(date=day.isoformat(), era=era_text(era), year=year)


def era_text(era: Era) -> str:
    """The name of an era."""
    match era:
        case Era.MEIJI:
            return _("Meiji")
        case Era.TAISHO:
            return _("Taisho")
        case Era.SHOWA:
            return _("Showa")
        case Era.HEISEI:
            return _("Heisei")
        case Era.REIWA:
            return _("Reiwa")
        case Era.UNKNOWN:
            return _("unknown")


def attribute_text(attribute: str) -> str:
    """What an attribute of the holder is called; one that is not known, by its OID."""
    words: dict[str, str] = {
        HolderAttribute.NAME: _("name"),
        HolderAttribute.NAME_FLAGS: _("substitute characters of the name"),
        HolderAttribute.SEX: _("sex"),
        HolderAttribute.BIRTH_DATE: _("birth date"),
        HolderAttribute.ADDRESS: _("address"),
        HolderAttribute.ADDRESS_FLAGS: _("substitute characters of the address"),
    }
    return words.get(attribute, attribute)


def fault_text(kind: HolderFaultKind) -> str:  # noqa: C901  # one line for each fault
    """What is wrong with an attribute."""
    match kind:
        case HolderFaultKind.DUPLICATE:
            return _("it is there more than once")
        case HolderFaultKind.WRONG_TYPE:
            return _("it is of another type than UTF8String")
        case HolderFaultKind.BAD_UTF8:
            return _("it is not UTF-8")
        case HolderFaultKind.MISSING:
            return _("it is missing")
        case HolderFaultKind.EMPTY:
            return _("it is empty")
        case HolderFaultKind.CONTROL_CHARACTER:
            return _("there is a control character in it")
        case HolderFaultKind.INVISIBLE_CHARACTER:
            return _("there is a character in it that nobody sees or that turns the writing around")
        case HolderFaultKind.FLAGS_LENGTH:
            return _("there are more or fewer of these marks than characters")
        case HolderFaultKind.FLAGS_CODE:
            return _("one of these marks is neither 0 nor 1")
        case HolderFaultKind.DATE_FORMAT:
            return _("it has not nine digits")
        case HolderFaultKind.DATE_INCOMPLETE:
            return _("zeros stand for a part that is not known")
        case HolderFaultKind.DATE_IMPOSSIBLE:
            return _("there is no such day")
        case HolderFaultKind.ERA_CODE:
            return _("its era is none that is known")
        case HolderFaultKind.ERA_MISMATCH:
            return _("the day is not of the era that stands before it")
        case HolderFaultKind.SEX_CODE:
            return _("it is not a code that is known")
