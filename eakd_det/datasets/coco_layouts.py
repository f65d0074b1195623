"""Where the COCO files of other folders than docs/custom_data.md's are: COCO's own layout, and Roboflow's export."""

from __future__ import annotations

from pathlib import Path

_USUAL = 'instances_train.json'
_SPLITS = {'train': ('train', 'train2017'), 'val': ('val', 'val2017', 'valid')}


def coco_options(folder: Path) -> dict[str, str]:
    """Return the data options of a COCO folder whose files are not at their usual places, as far as they are found.

    Known are ``annotations/instances_train.json`` with photos in ``train`` (or ``train2017``, ``images/train``,
    ``images``), and ``train/_annotations.coco.json`` with the photos beside it; for validation ``val``, ``val2017`` or
    ``valid``.

    Example:
        >>> coco_options(Path('a folder without such files'))
        {}
    """
    options: dict[str, str] = {}
    if (folder / _USUAL).is_file():
        return options
    for split, names in _SPLITS.items():
        places = [(f'annotations/instances_{name}.json', name) for name in names]
        places += [(f'{name}/_annotations.coco.json', name) for name in names]
        for file, name in places:
            if (folder / file).is_file():
                photos = (name, f'images/{name}', 'images')
                options[f'{split}_ann'] = file
                options.update({f'{split}_images': f'{place}/' for place in photos[::-1] if (folder / place).is_dir()})
                break
    return options
