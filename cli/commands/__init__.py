"""One module for each noun of the command line; each is imported when it is used."""

__all__: list[str] = []
