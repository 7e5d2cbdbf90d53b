"""Certificate policies of JPKI, RFC 5280 4.2.1.4: they say what a certificate is and what for."""

from typing import Final

POLICY_ARC: Final = "1.2.392.200149.8.5.1"
SIGNATURE_POLICY: Final = f"{POLICY_ARC}.1.20"
"""署名用, on a card."""
SMARTPHONE_SIGNATURE_POLICY: Final = f"{POLICY_ARC}.1.40"
"""署名用, on a phone; by one report, so it is recognised and nothing is built on it."""
AUTHENTICATION_POLICY: Final = f"{POLICY_ARC}.3.30"
"""利用者証明用."""
TEST_SIGNATURE_POLICY: Final = f"{POLICY_ARC}.0.20"
"""署名用, in J-LIS's test hierarchy."""
