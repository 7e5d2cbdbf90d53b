"""When: the edges of the validity, to the second."""

from datetime import datetime, timedelta

from support.attacks.case import Case, Threat, login_ca
from support.forging import (
    forge,
    seq,
    time_of,
)
from support.pki import (
    AT,
    LEAF_FROM,
    LEAF_UNTIL,
)

from jpki.certificates import Purpose, Reason

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
INCLUSIVE = "OpenSSL ends a validity before its last second; RFC 5280 4.1.2.5 includes it"


def login(name: str, at: datetime, **expected: object) -> Case:
    return Case(
        threat=Threat.DATES,
        name=name,
        leaf=lambda: forge("authentication"),
        anchors=(login_ca,),
        purpose=Purpose.LOGIN,
        at=at,
        **expected,  # type: ignore[arg-type]
    )


DATES: tuple[Case, ...] = (
    Case(threat=Threat.DATES, name="in the middle", leaf=forge),
    Case(threat=Threat.DATES, name="first second", leaf=forge, at=LEAF_FROM),
    Case(threat=Threat.DATES, name="a second before the last", leaf=forge, at=LEAF_UNTIL - SECOND),
    Case(
        threat=Threat.DATES,
        name="last second",
        leaf=forge,
        at=LEAF_UNTIL,
        openssl=10,
        why=INCLUSIVE,
    ),
    Case(
        threat=Threat.DATES,
        name="within the last second",
        leaf=forge,
        at=LEAF_UNTIL + timedelta(microseconds=999_999),
        openssl=10,
        why=INCLUSIVE,
    ),
    Case(
        threat=Threat.DATES,
        name="a second too late",
        leaf=forge,
        at=LEAF_UNTIL + SECOND,
        reasons=(Reason.EXPIRED,),
        openssl=10,
    ),
    Case(
        threat=Threat.DATES,
        name="a second too early",
        leaf=forge,
        at=LEAF_FROM - SECOND,
        reasons=(Reason.NOT_YET_VALID,),
        openssl=9,
    ),
    Case(
        threat=Threat.DATES,
        name="a microsecond too early",
        leaf=forge,
        at=LEAF_FROM - timedelta(microseconds=1),
        reasons=(Reason.NOT_YET_VALID,),
        openssl=9,
    ),
    Case(
        threat=Threat.DATES,
        name="ends before it begins",
        leaf=lambda: forge(validity=seq(time_of(AT + DAY), time_of(AT - DAY))),
        reasons=(Reason.NOT_YET_VALID, Reason.EXPIRED),
        openssl=9,
    ),
    login("a login in its first second", LEAF_FROM),
    login("a login too early", LEAF_FROM - SECOND, reasons=(Reason.NOT_YET_VALID,), openssl=9),
    login("a login too late", LEAF_UNTIL + SECOND, reasons=(Reason.EXPIRED,), openssl=10),
)
