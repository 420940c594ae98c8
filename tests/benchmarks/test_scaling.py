"""The dashboards of the scaling run are those of different machines."""

from benchmarks.scaling import Load, _panels, table


def test_each_board_shows_its_own_machine_in_the_same_panels() -> None:
    first, second, eleventh = ([panel.expr for panel in _panels(board)] for board in (0, 1, 10))
    assert len(first) == 28
    assert first == eleventh
    assert 'instance="node-a:9100-2"' in second[1]
    assert [expr.replace("9100-2", "9100") for expr in second] == first


def test_the_table_tells_rates_quantiles_and_failures() -> None:
    seconds = [number / 1000 for number in range(1, 101)]
    load = Load(5, seconds, lasted=10, cores=0.5, received=2e7, failed=3)
    assert table([load]).splitlines()[-1] == "| 5 | 10 | 50 | 100 | 0.50 | 2.00 | 3 |"
