"""COCO files with one fault are rejected in one line, or read with unchanged labels."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eakd_det.datasets.annotations import check_coco_annotations
from eakd_det.errors import ConfigError
from tests import tiny_data
from tests.test_faults.coco_fuzzing import CocoBench, huge_file
from tests.test_faults.fuzzing import outcome
from tests.test_faults.test_fuzz_config import summary, tally

Seen = Callable[[object], None]


@pytest.fixture
def bench(tmp_path: Path) -> CocoBench:
    return CocoBench(tmp_path / 'data')


def test_the_original_file_is_valid(bench: CocoBench) -> None:
    assert outcome(bench.case('good', bench.good)) == ('ran', '')


@pytest.mark.fault('a COCO file with one fault (sample)', expected='one clear line, or unchanged labels')
def test_a_sample(bench: CocoBench, seen: Seen) -> None:
    seen(summary(tally(random.Random(3).sample(list(bench.cases(random.Random(0))), 25))))


@pytest.mark.slow
@pytest.mark.fault('a COCO file with one fault (all)', expected='one clear line, or unchanged labels')
def test_all(bench: CocoBench, seen: Seen, count: Any) -> None:
    cases = list(bench.cases(random.Random(0)))
    assert len(cases) > 1400
    outcomes = tally(cases)
    count('COCO files', outcomes)
    seen(summary(outcomes))


@pytest.mark.fault('{boxes} boxes in one file', expected='read in time; one bad box among them is found')
@pytest.mark.parametrize('boxes', [10_000, pytest.param(400_000, marks=pytest.mark.slow)])
def test_a_huge_file(tmp_path: Path, seen: Seen, boxes: int) -> None:
    path = huge_file(tmp_path, boxes)
    start = time.perf_counter()
    assert check_coco_annotations(path, ('square',), 'train_ann').num_annotations == boxes
    seconds = time.perf_counter() - start
    assert seconds < boxes / 1000  # ten seconds for 10,000: only detects a hang
    text = path.read_text()
    at = text.rindex('"bbox": [1,')
    path.write_text(f'{text[:at]}"bbox": [NaN,{text[at + len("bbox: [1,") + 2 :]}')
    with pytest.raises(ConfigError, match=rf'bbox \[nan, .*for annotation {boxes};'):
        check_coco_annotations(path, ('square',), 'train_ann')
    seen(f'{path.stat().st_size / 1e6:.0f} MB in {seconds:.1f} s')


def test_dropped_boxes_are_logged(bench: CocoBench, capsys: pytest.CaptureFixture) -> None:
    content = bench.good
    content['annotations'][1].update(bbox=[200, 10, 5, 5])
    content['annotations'][2].update(area=0)
    tiny_data.write_annotations(bench.root, 'train', content)
    check_coco_annotations(bench.file, tiny_data.CLASSES, 'train_ann')
    output = capsys.readouterr()
    assert 'has boxes that MMDetection drops' in output.out + output.err
    assert 'the first is annotation 2 (2 in total)' in output.out + output.err


def test_no_usable_box_is_an_error(bench: CocoBench) -> None:
    for annotation in bench.good['annotations']:
        annotation['area'] = 0
    tiny_data.write_annotations(bench.root, 'train', bench.good)
    with pytest.raises(ConfigError, match='has boxes, but none with an area > 0'):
        check_coco_annotations(bench.file, tiny_data.CLASSES, 'train_ann')
