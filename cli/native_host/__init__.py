"""``jpki-native-host``, by which browsers and their sites come to the card (Web eID's protocol)."""

__all__: list[str] = []
