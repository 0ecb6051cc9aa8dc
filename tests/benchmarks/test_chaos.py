"""benchmarks/chaos: a few trials of each attack, by the real client, as real processes, with real signals."""

from __future__ import annotations

import pytest

from benchmarks.chaos.attacks import ATTACKS, Laboratory, Lost, equal_state
from benchmarks.chaos.site import state

TRIALS = [
    ("faults", 1),
    ("faults", 2),
    ("kills", 4),
    ("signals", 9),
    ("rivals", 1),
    ("neighbours", 1),
    ("leases", 4),  # in the publish, before its transaction
    ("leases", 7),  # with a successor
    ("readers", 1),
    ("clocks", 1),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("lab"))


@pytest.mark.parametrize(("attack", "seed"), TRIALS)
def test_attack_loses_nothing(lab: Laboratory, attack: str, seed: int) -> None:
    happened = ATTACKS[attack].trial(lab, seed)
    assert happened.total() > 0


def test_harm_is_told(lab: Laboratory) -> None:
    with lab.trial(lab.published) as site, site.client() as client:
        client.query_and_wait("DELETE FROM sid.fct_departure WHERE flight_date = '2013-01-04' AND agent_code = 'HA'")
        with pytest.raises(Lost, match=r"fct_departure: too many .*, missing .*'HA'"):
            equal_state(state(client), lab.before)
