"""Photos in all forms, their resizing, detections in order, agreement, and AP."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from mmcv.transforms import Resize
from PIL import Image

from eakd_det.errors import ConfigError
from eakd_det.export import Detections
from eakd_det.export.images import read_bgr
from eakd_det.export.parity import compare_detectors
from eakd_det.export.resizing import Resizing
from eakd_det.export.validation import CocoPhotos
from tests import tiny_data

RGB = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)


def test_a_file_a_pil_image_and_an_array_are_the_same(tmp_path):
    path = tmp_path / 'photo ü.png'
    Image.fromarray(RGB).save(path)
    for form in (path, str(path), Image.open(path), RGB):
        np.testing.assert_array_equal(read_bgr(form), RGB[..., ::-1])


def test_files_and_pil_images_follow_exif(tmp_path):
    path, exif = tmp_path / 'turned.jpg', Image.Exif()
    exif[274] = 6
    Image.fromarray(RGB).save(path, exif=exif)
    assert read_bgr(path).shape == read_bgr(Image.open(path)).shape == (4, 5, 3)


@pytest.mark.parametrize(
    ('image', 'said'),
    [
        ('no/such.jpg', 'does not exist'),
        (np.zeros((4, 4, 3), np.float32), 'array of float32'),
        (np.zeros((4, 4, 4), np.uint8), r'\(4, 4, 4\)'),
        (np.zeros((0, 4, 3), np.uint8), r'\(0, 4, 3\)'),
        (7, 'got int'),
    ],
)
def test_anything_else_is_refused(image, said):
    with pytest.raises(ConfigError, match=said):
        read_bgr(image)


def test_a_text_file_is_not_a_photo(tmp_path):
    (tmp_path / 'a.jpg').write_text('no')
    with pytest.raises(ConfigError, match='cannot be read'):
        read_bgr(tmp_path / 'a.jpg')


@pytest.mark.parametrize('shape', [(480, 640), (640, 480), (97, 1001)])
@pytest.mark.parametrize('keep_ratio', [True, False])
def test_resizing_is_that_of_mmdetection(shape, keep_ratio):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    step = dict(type='Resize', scale=(200, 150), keep_ratio=keep_ratio)
    resized, factors = Resizing.from_json(Resizing.of([step]).to_json())(image)
    expected = Resize(scale=(200, 150), keep_ratio=keep_ratio)(dict(img=image))
    np.testing.assert_array_equal(resized, expected['img'])
    np.testing.assert_allclose(factors, expected['scale_factor'])


def test_padding_is_on_the_right_and_below():
    steps = [
        dict(type='mmdet.Resize', scale=(8, 8), keep_ratio=True),
        dict(type='Pad', size=(8, 8), pad_val=dict(img=(9, 9, 9))),
    ]
    image, _ = Resizing.of(steps)(np.zeros((4, 8, 3), np.uint8))
    assert image.shape == (8, 8, 3)
    assert (image[:4] == 0).all()
    assert (image[4:] == 9).all()


def test_other_transforms_are_refused():
    with pytest.raises(ConfigError, match='CenterCrop'):
        Resizing.of([dict(type='Resize', scale=(8, 8)), dict(type='CenterCrop')])


def detections(boxes, scores, labels):
    return Detections.of(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores), np.array(labels), ('a', 'b'))


def test_detections_are_in_the_order_of_their_scores():
    found = detections([[0, 0, 1, 1], [0, 0, 2, 2]], [0.2, 0.7], [0, 1])
    assert found.names == ['b', 'a']
    assert found.boxes[0].tolist() == [0, 0, 2, 2]
    assert found.above(0.5).names == ['b']
    assert len(detections([], [], [])) == 0


def fixed(found):
    def detector(image):
        return found

    return detector


BOX = [10.0, 10.0, 100.0, 90.0]


@pytest.mark.parametrize(
    ('other', 'unmatched'),
    [
        (detections([BOX], [0.9001], [0]), 0),
        (detections([BOX], [0.85], [0]), 2),
        (detections([BOX], [0.9], [1]), 2),
        (detections([[10, 10, 100, 91]], [0.9], [0]), 2),
        (detections([BOX, BOX], [0.9, 0.0505], [0, 1]), 0),  # within the tolerance of the threshold
        (detections([BOX, BOX], [0.9, 0.06], [0, 1]), 1),
        (detections([], [], []), 1),
    ],
)
def test_agreement_of_two_detectors(other, unmatched):
    parity = compare_detectors(fixed(detections([BOX], [0.9], [0])), fixed(other), ['photo'])
    assert parity.unmatched == unmatched
    assert parity.holds == (unmatched == 0)
    assert parity.detections == 1


@pytest.fixture
def photos(tmp_path):
    tiny_data.make_coco(tmp_path)
    content = tiny_data.read_annotations(tmp_path, 'val')
    for item in content['annotations']:
        del item['area']  # as some tools write the file
    tiny_data.write_annotations(tmp_path, 'val', json.dumps(content))
    return CocoPhotos(tiny_data.annotation_file(tmp_path, 'val'), tmp_path / 'val', tiny_data.CLASSES)


def test_perfect_detections_have_ap_1_and_none_0(photos):
    truth = {photo.path: photo for photo in photos.photos}

    class Perfect:
        classes = tiny_data.CLASSES

        def __call__(self, path):
            assert cv2.imread(str(path)) is not None
            photo = truth[path]
            return Detections.of(photo.boxes, np.ones(len(photo.labels)), photo.labels, self.classes)

    assert photos.figures(Perfect())['AP'] == 1.0
    assert photos.figures(fixed(detections([], [], [])))['AP'] == 0.0


def test_a_spread_of_photos_keeps_the_order(photos):
    assert [photo.path.name for photo in photos.spread(2)] == ['1.png', '3.png']
    assert len(photos.spread(9)) == 3
