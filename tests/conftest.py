"""Fixtures for all levels of tests. `jpki_card` and its kin come with the package's own plugin."""

from collections.abc import Iterator

import pytest
from support.vpcd import Vpcd, running_vpcd

pytest_plugins = ["support.cards", "support.pinned_ca"]


@pytest.fixture(scope="session")
def vpcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vpcd]:
    """The two virtual readers of a real pcscd: `with vpcd.insert(card) as reader_name: ...`."""
    with running_vpcd(tmp_path_factory.mktemp("pcscd") / "pcscd.log") as readers:
        yield readers
