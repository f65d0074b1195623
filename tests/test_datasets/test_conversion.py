"""The same photos and boxes in the layouts of YOLO and VOC become the same COCO files."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree

import pytest

from eakd_det.datasets import conversion
from eakd_det.datasets.conversion import as_coco, layout_of
from eakd_det.errors import ConfigError
from tests import tiny_data

pytest.importorskip('globox')


@pytest.fixture
def coco(tmp_path):
    return tiny_data.make_coco(tmp_path / 'coco')


def objects(content):
    """Class and corners of each box, by the photo's name."""
    names = {category['id']: category['name'] for category in content['categories']}
    files = {image['id']: image['file_name'].rpartition('/')[2] for image in content['images']}
    found: dict = {name: [] for name in files.values()}
    for item in content['annotations']:
        x, y, width, height = item['bbox']
        corners = [round(value) for value in (x, y, x + width, y + height)]
        found[files[item['image_id']]].append((names[item['category_id']], *corners))
    return {name: sorted(boxes) for name, boxes in found.items()}


def as_yolo(coco, root, **changes):
    for split in ('train', 'val'):
        shutil.copytree(coco / split, root / 'images' / split)
        (root / 'labels' / split).mkdir(parents=True)
        content = tiny_data.read_annotations(coco, split)
        for image in content['images']:
            lines = []
            for item in content['annotations']:
                if item['image_id'] == image['id']:
                    x, y, w, h = item['bbox']
                    numbers = ((x + w / 2) / 80, (y + h / 2) / 64, w / 80, h / 64)
                    lines.append(f'{item["category_id"] - 1} {" ".join(f"{number:.6f}" for number in numbers)}')
            (root / 'labels' / split / f'{image["id"]}.txt').write_text('\n'.join(lines))
    settings = dict(path='.', train='images/train', val='images/val', names=dict(enumerate(tiny_data.CLASSES)))
    (root / 'data.yaml').write_text(json.dumps({**settings, **changes}))  # JSON is YAML
    return root


def as_voc(coco, root, lists=True):
    for folder in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True)
    for split in ('train', 'val'):
        content, stems = tiny_data.read_annotations(coco, split), []
        for image in content['images']:
            stem = f'{split}{image["id"]}'
            stems.append(stem)
            shutil.copy(coco / split / image['file_name'], root / 'JPEGImages' / f'{stem}.png')
            tree = ElementTree.Element('annotation')
            ElementTree.SubElement(tree, 'filename').text = f'{stem}.png'
            size = ElementTree.SubElement(tree, 'size')
            ElementTree.SubElement(size, 'width').text, ElementTree.SubElement(size, 'height').text = '80', '64'
            for item in content['annotations']:
                if item['image_id'] == image['id']:
                    thing = ElementTree.SubElement(tree, 'object')
                    ElementTree.SubElement(thing, 'name').text = tiny_data.CLASSES[item['category_id'] - 1]
                    box, (x, y, w, h) = ElementTree.SubElement(thing, 'bndbox'), item['bbox']
                    for name, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), (x, y, x + w, y + h), strict=True):
                        ElementTree.SubElement(box, name).text = str(value)
            ElementTree.ElementTree(tree).write(root / 'Annotations' / f'{stem}.xml')
        if lists:
            (root / 'ImageSets/Main' / f'{split}.txt').write_text('\n'.join(stems) + '\n')
    return root


def converted(folder, target):
    result = as_coco(folder, target)
    assert result.options['data_root'] == str(target)
    return result, {split: json.loads((target / f'instances_{split}.json').read_text()) for split in ('train', 'val')}


def test_coco_stays_where_it_is(coco, tmp_path):
    assert layout_of(coco) == 'coco'
    assert as_coco(coco, tmp_path / 'target').options == {'data_root': str(coco)}
    assert not (tmp_path / 'target').exists()


def test_yolo(coco, tmp_path):
    folder = as_yolo(coco, tmp_path / 'yolo')
    assert layout_of(folder) == 'yolo'
    result, content = converted(folder, tmp_path / 'target')
    for split in ('train', 'val'):
        assert objects(content[split]) == objects(tiny_data.read_annotations(coco, split))
        assert [category['name'] for category in content[split]['categories']] == list(tiny_data.CLASSES)
        assert result.options[f'{split}_images'] == f'{folder / "images" / split}/'


def test_yolo_photo_without_labels_is_background(coco, tmp_path):
    folder = as_yolo(coco, tmp_path / 'yolo')
    (folder / 'labels/train/1.txt').unlink()
    (folder / 'labels/train/2.txt').write_text('')
    _, content = converted(folder, tmp_path / 'target')
    found = objects(content['train'])
    assert found['1.png'] == found['2.png'] == []
    assert len(found) == 4


def test_voc(coco, tmp_path):
    folder = as_voc(coco, tmp_path / 'voc')
    assert layout_of(folder) == 'voc'
    result, content = converted(folder, tmp_path / 'target')
    assert not result.remark
    for split in ('train', 'val'):
        expected = {f'{split}{name}': boxes for name, boxes in objects(tiny_data.read_annotations(coco, split)).items()}
        assert objects(content[split]) == expected


def test_voc_without_lists_is_split_and_says_so(coco, tmp_path):
    folder = as_voc(coco, tmp_path / 'voc', lists=False)
    result, content = converted(folder, tmp_path / 'target')
    assert 'every fifth photo' in result.remark
    assert {split: len(each['images']) for split, each in content.items()} == {'train': 5, 'val': 2}


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        (dict(val=None), 'has no val'),
        (dict(train='no/such'), 'photos of train in'),
        (dict(names=['square']), 'some boxes have'),
    ],
)
def test_errors_of_yolo_folders_are_one_line(coco, tmp_path, changes, said):
    folder = as_yolo(coco, tmp_path / 'yolo', **changes)
    with pytest.raises(ConfigError, match=f'^data: .*{said}'):
        as_coco(folder, tmp_path / 'target')


def test_unreadable_labels_name_the_file(coco, tmp_path):
    folder = as_yolo(coco, tmp_path / 'yolo')
    (folder / 'labels/val/1.txt').write_text('0 0.5 half 0.1 0.1')
    with pytest.raises(ConfigError, match=r'^data: .*1\.txt cannot be read'):
        as_coco(folder, tmp_path / 'target')


def test_list_that_names_a_missing_file_is_an_error(coco, tmp_path):
    folder = as_voc(coco, tmp_path / 'voc')
    (folder / 'ImageSets/Main/val.txt').write_text('nothing\n')
    with pytest.raises(ConfigError, match=r'nothing\.xml'):
        as_coco(folder, tmp_path / 'target')


def test_without_globox_the_error_has_the_command(coco, tmp_path, monkeypatch):
    folder = as_yolo(coco, tmp_path / 'yolo')
    monkeypatch.setitem(__import__('sys').modules, 'globox', None)
    with pytest.raises(ConfigError, match=r"pip install 'eakd-det\[convert\]'"):
        conversion.as_coco(folder, tmp_path / 'target')
