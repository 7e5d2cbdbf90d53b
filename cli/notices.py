"""What a person hears while the card is waited for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from apdu.transports.base import Notice
from cli.printable import printable_names
from cli.translation import _

if TYPE_CHECKING:
    from jpki.readers import ReaderNotice


class Notices:
    """Turns the library's notices into sentences; each of them once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def __call__(self, notice: "Notice | ReaderNotice") -> None:
        """Say it, unless it was said."""
        text = _text(notice)
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _text(notice: "Notice | ReaderNotice") -> str:
    if isinstance(notice, Notice):
        match notice:
            case Notice.CARD_SLOW:
                return _("The card is slow to answer; leave it where it is ...")
            case Notice.INTERRUPTED:
                return _("Interrupted; waiting up to 3 seconds for the card's answer ...")
    from jpki.readers import ReaderNoticeKind

    names = printable_names(notice.reader_names)
    match notice.kind:
        case ReaderNoticeKind.WAITING_FOR_CARD:
            return _("Put the card on the reader ({readers}) ...").format(readers=names)
        case ReaderNoticeKind.PASSED_OVER:
            return _("Passed over, another program is using it: {readers}").format(readers=names)
