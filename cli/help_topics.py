"""What the residents' guides say to do in each situation: every text once, for all that show it.

``jpki help TOPIC`` shows a topic as a whole; errors, ``status``, ``doctor`` and ``pin unlock`` show
its remedy where the situation is met. docs/rules.md says which rule of the guides stands where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cli.translation import N_, _
from jpki.lifecycle import Move
from jpki.unlocking import KIOSK_HOURS


class HelpTopic(Enum):
    """A situation; the value is the word in the command and in JSON."""

    LOST = "lost"
    SUSPENDED = "suspended"
    REPLACEMENT = "replacement"
    BLOCKED = "blocked"
    FACE_AUTHENTICATION = "face-auth"
    CHILD = "child"
    EXPIRED = "expired"
    MOVED = "moved"
    PHONE = "phone"
    NUMBER = "number"
    CARE = "care"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Untranslated texts, with the names of ``FACTS`` in braces."""

    title: str
    remedy: str
    """What it is and what to do about it, in a few sentences that stand by themselves."""
    more: tuple[str, ...] = ()


FACTS: Final = {
    "free_line": "0120-95-0178",
    "paid_line": "0570-783-578",
    "other_line": "050-3818-1250",
    "hours": KIOSK_HOURS,
    "moved_out_days": Move.MOVED_OUT.days,
    "moved_in_days": Move.MOVED_IN.days,
    "notified_days": Move.NOTIFIED.days,
    "card_fee": 800,
    "full_fee": "1,000",
}
"""Numbers, which no translation can get wrong."""

SHOPS_DIFFER: Final = N_(
    "Shops differ in what their kiosks can do; if both are unknown or blocked, go to the counter."
)
WITHOUT_CERTIFICATES: Final = N_(
    "Without valid certificates the card works at no doctor's or pharmacy, and for no login or"
    " signature."
)

TOPICS: Final = {
    HelpTopic.LOST: Topic(
        title=N_("The card is lost or stolen"),
        remedy=N_(
            "Phone at once, at any hour of any day, and have the card's functions suspended:"
            " {free_line} (マイナンバー総合フリーダイヤル, free of charge) or {paid_line}"
            " (個人番号カードコールセンター, charged); {other_line} where these cannot be reached."
            " Then report the loss at the counter of your city office (市区町村の窓口)."
        ),
        more=(
            N_(
                "If it is found again: 'jpki help suspended'. For a new one: 'jpki help"
                " replacement'."
            ),
        ),
    ),
    HelpTopic.SUSPENDED: Topic(
        title=N_("The certificates are suspended"),
        remedy=N_(
            "Certificates are suspended (一時停止) when a loss is reported. When the card is found,"
            " the counter of your city office (市区町村の窓口) lifts the suspension."
        ),
        more=(
            N_(
                "Suspended is not revoked: it may be lifted again, so a verification that meets it"
                " ends as undecided (indeterminate), not as failed."
            ),
            N_("If the card stays lost: 'jpki help replacement'."),
        ),
    ),
    HelpTopic.REPLACEMENT: Topic(
        title=N_("A new card; giving a certificate up"),
        remedy=N_(
            "A new card is applied for at the counter of your city office (市区町村の窓口): after a"
            " loss with the number of the police's receipt (遺失届の受理番号), after a fire with a"
            " disaster certificate (罹災証明), and with the card itself if it is damaged."
        ),
        more=(
            N_(
                "It costs {card_fee} yen, with certificates {full_fee} yen, as does a"
                " face-authentication card; nothing, as a rule, where the holder is not to blame"
                " (theft, disaster)."
            ),
            N_("Who wants to stop using a certificate applies for it at the same counter."),
        ),
    ),
    HelpTopic.BLOCKED: Topic(
        title=N_("A PIN is blocked or forgotten"),
        remedy=N_(
            "The counter of your city office (市区町村の窓口) sets it anew, after a check of who"
            " you are. While you know the other one of signature password and authentication PIN,"
            " the kiosk of a convenience store can do it too: book it with the official phone app,"
            " then go within {hours} hours."
        ),
        more=(
            SHOPS_DIFFER,
            N_(
                "The signature password (署名用パスワード) is blocked by 5 mistakes in a row, the"
                " authentication PIN (利用者証明用暗証番号) by 3. No program can unlock them."
            ),
            N_("The ways for each of them: 'jpki pin unlock signature|authentication|text'."),
            N_(
                "While it is known, the holder changes it alone: with 'jpki pin change' or with the"
                " phone. To change the password regularly is recommended."
            ),
        ),
    ),
    HelpTopic.FACE_AUTHENTICATION: Topic(
        title=N_("Face-authentication card (顔認証マイナンバーカード)"),
        remedy=N_(
            "A face-authentication card (顔認証マイナンバーカード) has no PINs: they are blocked"
            " from the start, and nobody made a mistake. It works where the face or a person checks"
            " the holder, at a doctor's or pharmacy; it does not sign, log in to マイナポータル,"
            " or get certificates in a convenience store. The city office (市区町村の窓口) can turn"
            " it back into a card with PINs."
        ),
        more=(
            N_(
                "The chip does not say that it is such a card, so jpki speaks of one wherever both"
                " PINs are blocked. If yours is an ordinary card: 'jpki help blocked'."
            ),
        ),
    ),
    HelpTopic.CHILD: Topic(
        title=N_("No signature certificate (署名用電子証明書)"),
        remedy=N_(
            "A child's card has none, nor has that of a holder who did not want one. Such a card"
            " logs in and signs nothing; where its signature password is blocked, that is why. The"
            " city office (市区町村の窓口) can issue one."
        ),
    ),
    HelpTopic.EXPIRED: Topic(
        title=N_("Card or certificates have expired, or soon will"),
        remedy=N_(
            "The counter of your city office (市区町村の窓口) renews card and certificates, free of"
            " charge, from the day after the day that is three months before the end."
        ),
        more=(
            WITHOUT_CERTIFICATES,
            N_(
                "The card holds until the 10th birthday after the day of issue; if the holder was"
                " under 18 on that day, until the 5th. Before 1 April 2022 the age was 20."
            ),
            N_(
                "Certificates hold until the 5th birthday after the day of issue, or as long as the"
                " card."
            ),
            N_(
                "A foreign resident's card holds until the end of the period of stay. Permanent"
                " residents, special permanent residents and Highly Skilled Professionals (ii)"
                " follow the birthdays."
            ),
            N_(
                "An older guide lets renewal begin a day earlier, on the day three months before"
                " the end; the newer one stands."
            ),
            N_("The days of your card: 'jpki renewal'."),
        ),
    ),
    HelpTopic.MOVED: Topic(
        title=N_("Moving house, marriage, a new name or address"),
        remedy=N_(
            "Take the card to the counter of your city office (市区町村の窓口) when you give the"
            " notice: the new name or address is put on it. The signature certificate is revoked by"
            " the change itself, and a new one is issued there; the authentication certificate"
            " stays valid."
        ),
        more=(
            N_(
                "The card lapses if no moving-in notice is given within {moved_out_days} days after"
                " the planned moving-out day."
            ),
            N_(
                "The card lapses if the moving-in notice is given {moved_in_days} days or more"
                " after the day of moving in."
            ),
            N_(
                "The card lapses if it is not updated within {notified_days} days after the"
                " moving-in notice."
            ),
            N_(
                "The wording leaves the last day open, so be there the day before: 'jpki renewal"
                " --moved-out DATE --moved-in DATE --notified DATE' shows the last safe days."
            ),
        ),
    ),
    HelpTopic.PHONE: Topic(
        title=N_("Certificates on a phone"),
        remedy=N_(
            "Certificates for a phone are issued through マイナポータル with the card's signature"
            " certificate, not at the counter; the guide knows Android only. They are behind their"
            " PINs, the authentication certificate too. Nobody has tried jpki with a real phone."
        ),
    ),
    HelpTopic.NUMBER: Topic(
        title=N_("The personal number (個人番号)"),
        remedy=N_(
            "It is on the back of the card and in its chip. It may be shown and copied only in the"
            " procedures that the law names, such as taxes and social security."
        ),
        more=(N_("jpki shows it only when asked for it by name, and never writes it to a log."),),
    ),
    HelpTopic.CARE: Topic(
        title=N_("The card does not answer; care of the chip"),
        remedy=N_(
            "Wipe the card, lay it flat on the reader, and try another reader. Heat, bending,"
            " liquids and strong magnets damage it; one that no longer answers is taken to the"
            " counter of your city office (市区町村の窓口)."
        ),
        more=(
            N_(
                "Keep it out of hot cars, washing machines and back pockets, away from alcohol,"
                " solvents and bags with magnets, and do not touch or scratch the chip."
            ),
            N_("A new card then costs a fee: 'jpki help replacement'."),
        ),
    ),
}


def title(topic: HelpTopic) -> str:
    """What the topic is about."""
    return _(TOPICS[topic].title)


def remedy(topic: HelpTopic) -> str:
    """What it is and what to do about it."""
    return _(TOPICS[topic].remedy).format_map(FACTS)


def paragraphs(topic: HelpTopic) -> Iterator[str]:
    """All that is to be said, the remedy first."""
    yield remedy(topic)
    for text in TOPICS[topic].more:
        yield _(text).format_map(FACTS)


def pointer(topic: HelpTopic) -> str:
    """Where more is to be read."""
    return _("More: 'jpki help {topic}'.").format(topic=topic.value)
