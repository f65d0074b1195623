from __future__ import annotations

import pytest
from scipy import stats

from eakd_det.lab.experiment.statistics import paired_difference, recovered_share, spread


def test_the_interval_is_that_of_the_paired_t_test():
    values, base = {0: 0.31, 1: 0.28, 2: 0.35, 3: 0.30}, {0: 0.29, 1: 0.29, 2: 0.30, 3: 0.27}
    found = paired_difference(values, base)
    interval = stats.ttest_rel(list(values.values()), list(base.values())).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx(0.0225)
    assert found.n == 4


def test_only_shared_seeds_count():
    found = paired_difference({0: 1.0, 1: 2.0, 5: 100.0}, {1: 1.0, 0: 0.0, 7: -100.0})
    assert (found.mean, found.n) == (1.0, 2)


def test_one_seed_has_no_interval_and_no_seed_no_difference():
    assert paired_difference({0: 2.0}, {0: 1.0}).low is None
    assert paired_difference({0: 2.0}, {1: 1.0}) is None
    assert spread([4.0]).std is None
    assert spread([]) is None


def test_the_gap_is_taken_on_shared_seeds_and_needs_a_better_teacher():
    assert recovered_share({0: 0.3}, {0: 0.2, 1: 0.9}, 0.6) == pytest.approx(0.25)
    assert recovered_share({0: 0.3}, {0: 0.2}, 0.2) is None
    assert recovered_share({0: 0.3}, {1: 0.2}, 0.5) is None
