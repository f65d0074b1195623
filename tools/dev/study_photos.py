"""Make the photo sets of docs/study.md: python tools/dev/study_photos.py raccoon CLONE data/raccoon [--fifth].

CLONE is a checkout of github.com/datitran/raccoon_dataset (``raccoon``), github.com/experiencor/kangaroo
(``kangaroo``) or github.com/EdjeElectronics/TensorFlow-Object-Detection-API-Tutorial-Train-Multiple-Objects-Windows-10
(``cards``); for ``coco`` it is a folder in this package's layout, such as that of blood cells. With ``--fifth`` a fifth
of the training photos keep their labels; the others are in ``unlabelled``. Needs
globox: pip install 'eakd-det[convert]'.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path
from typing import Any

from globox import AnnotationSet

Coco = dict[str, Any]
_CLASSES = {'raccoon': ['raccoon'], 'kangaroo': ['kangaroo'], 'cards': ['ace', 'jack', 'king', 'nine', 'queen', 'ten']}
_ANNOTATIONS = {'raccoon': 'annotations', 'kangaroo': 'annots'}
_HELD_OUT = {'raccoon': 50, 'kangaroo': 41}  # for validation


def parse_args() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('photos', choices=(*_CLASSES, 'coco'))
    parser.add_argument('source', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--fifth', action='store_true', help='keep the labels of a fifth of the training photos')
    return parser.parse_args()


def read(folder: Path, classes: list[str]) -> Coco:
    """Return VOC's files of a folder in COCO's format; images are numbered in the order of their files."""
    found = AnnotationSet.from_pascal_voc(folder)
    names = sorted(found.image_ids, key=lambda name: (len(name), name))  # raccoon-2 before raccoon-10
    content: Coco = found.to_coco(
        label_to_id={name: number for number, name in enumerate(classes, 1)},
        imageid_to_id={name: number for number, name in enumerate(names, 1)},
    )
    for annotation in content['annotations']:
        annotation['bbox'], annotation['id'] = list(annotation['bbox']), annotation['id'] + 1
    content['images'].sort(key=lambda image: image['id'])
    return content


def subset(content: Coco, ids: list[int]) -> Coco:
    """Return the images with these ids and their boxes."""
    kept = set(ids)
    return {
        **content,
        'images': [image for image in content['images'] if image['id'] in kept],
        'annotations': [item for item in content['annotations'] if item['image_id'] in kept],
    }


def shuffled(content: Coco) -> list[int]:
    """Return the ids of the images, sorted, then shuffled by random.Random(0)."""
    ids = sorted(image['id'] for image in content['images'])
    random.Random(0).shuffle(ids)
    return ids


def splits_of(photos: str, source: Path) -> dict[str, tuple[Coco, Path]]:
    """Return content and folder of photos of both splits."""
    if photos == 'coco':
        files = {split: source / f'instances_{split}.json' for split in ('train', 'val')}
        return {
            split: (json.loads(file.read_text(encoding='utf-8')), source / 'images') for split, file in files.items()
        }
    if photos == 'cards':
        folders = {split: source / 'images' / name for split, name in (('train', 'train'), ('val', 'test'))}
        return {split: (read(folder, _CLASSES[photos]), folder) for split, folder in folders.items()}
    content, folder = read(source / _ANNOTATIONS[photos], _CLASSES[photos]), source / 'images'
    ids, held_out = shuffled(content), _HELD_OUT[photos]
    return {'train': (subset(content, ids[held_out:]), folder), 'val': (subset(content, ids[:held_out]), folder)}


def main() -> None:
    """Write the splits and copy the photos."""
    args = parse_args()
    for split, (content, folder) in splits_of(args.photos, args.source).items():
        labelled = content
        if args.fifth and split == 'train':
            ids = shuffled(content)
            labelled = subset(content, ids[: len(ids) // 5])
        named = {image['id'] for image in labelled['images']}
        for image in content['images']:
            target = args.out / ('images' if image['id'] in named else 'unlabelled') / image['file_name']
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / image['file_name'], target)
        (args.out / f'instances_{split}.json').write_text(json.dumps(labelled), encoding='utf-8')
        print(f'{split}: {len(named)} labelled of {len(content["images"])} photos in {args.out}')


if __name__ == '__main__':
    main()
