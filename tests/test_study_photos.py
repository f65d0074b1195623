"""The photo sets of the study, from their repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import tiny_data

SCRIPT = Path(__file__).parents[1] / 'tools/dev/study_photos.py'
pytest.importorskip('globox')


def make(photos: str, source: Path, out: Path, *options: str) -> dict[str, dict]:
    subprocess.run([sys.executable, SCRIPT, photos, source, out, *options], check=True, capture_output=True)
    return {split: json.loads((out / f'instances_{split}.json').read_text()) for split in ('train', 'val')}


def write_voc(folder: Path, annotations: str, name: str) -> None:
    """Write 61 photos as the repositories of raccoons and kangaroos have them."""
    for each in (annotations, 'images'):
        (folder / each).mkdir(parents=True)
    for number in range(1, 62):
        Image.fromarray(np.full((30, 40, 3), number, np.uint8)).save(folder / f'images/{name}-{number}.jpg')
        box = f'<xmin>{number % 10}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20</ymax>'
        (folder / f'{annotations}/{name}-{number}.xml').write_text(
            f'<annotation><filename>{name}-{number}.jpg</filename><size><width>40</width><height>30</height>'
            f'<depth>3</depth></size><object><name>{name}</name><bndbox>{box}</bndbox></object></annotation>'
        )


@pytest.mark.parametrize(
    ('name', 'annotations', 'held_out'), [('raccoon', 'annotations', 50), ('kangaroo', 'annots', 41)]
)
def test_photos_are_numbered_as_their_files_and_split(
    tmp_path: Path, name: str, annotations: str, held_out: int
) -> None:
    write_voc(tmp_path / 'source', annotations, name)
    splits = make(name, tmp_path / 'source', tmp_path / 'out')
    assert [len(splits[split]['images']) for split in ('train', 'val')] == [61 - held_out, held_out]
    both = splits['train']['images'] + splits['val']['images']
    assert {image['id']: image['file_name'] for image in both} == {n: f'{name}-{n}.jpg' for n in range(1, 62)}
    boxes = {item['image_id']: item['bbox'] for split in splits.values() for item in split['annotations']}
    assert boxes == {n: [n % 10, 2, 30 - n % 10, 18] for n in range(1, 62)}
    assert len(list((tmp_path / 'out/images').iterdir())) == 61


def test_a_fifth_keeps_its_labels_and_the_others_are_apart(tmp_path: Path) -> None:
    data = tiny_data.make_coco(tmp_path / 'coco', train=11)
    source = tmp_path / 'source'
    (source / 'images').mkdir(parents=True)
    for split in ('train', 'val'):
        content = tiny_data.read_annotations(data, split)
        for image in content['images']:
            name = f'{split}-{image["file_name"].rpartition("/")[2]}'
            (source / 'images' / name).write_bytes((data / split / name.removeprefix(f'{split}-')).read_bytes())
            image['file_name'] = name
        (source / f'instances_{split}.json').write_text(json.dumps(content))
    whole = {split: json.loads((source / f'instances_{split}.json').read_text()) for split in ('train', 'val')}
    out = tmp_path / 'fifth'
    splits = make('coco', source, out, '--fifth')
    labelled = {image['file_name'] for image in splits['train']['images']}
    assert len(labelled) == 2
    assert splits['val'] == whole['val']
    unlabelled = {path.name for path in (out / 'unlabelled').iterdir()}
    assert labelled | unlabelled == {image['file_name'] for image in whole['train']['images']}
    assert not labelled & unlabelled
