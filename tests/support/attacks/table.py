"""All cases, for every judge."""

from support.attacks.algorithms import ALGORITHMS
from support.attacks.anchors import ANCHORS
from support.attacks.case import Case
from support.attacks.dates import DATES
from support.attacks.encodings import ENCODINGS
from support.attacks.extensions import EXTENSIONS
from support.attacks.fields import FIELDS
from support.attacks.generations import GENERATIONS
from support.attacks.holders import HOLDERS
from support.attacks.keys import KEYS
from support.attacks.names import NAMES
from support.attacks.roots import ROOTS
from support.attacks.usages import USES_AND_POLICIES

CASES: tuple[Case, ...] = (
    *ROOTS,
    *GENERATIONS,
    *ANCHORS,
    *NAMES,
    *DATES,
    *EXTENSIONS,
    *USES_AND_POLICIES,
    *HOLDERS,
    *ALGORITHMS,
    *KEYS,
    *FIELDS,
    *ENCODINGS,
)
