"""Collected is what a training step would have distilled."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox_overlaps

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis import ProposalTable
from eakd_det.lab.analysis.collecting import boxes_in_file, collect_proposals
from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.commands.source import progress_line
from eakd_det.lab.analysis.pair import build_batches, build_pair, load_pair_config
from eakd_det.paths import configs_dir
from tests import tiny, tiny_data


@pytest.fixture(scope='module')
def pair():
    return tiny.distill(tiny.build(tiny.faster_rcnn(), 0), tiny.build(tiny.faster_rcnn(), 1))


def prepared(pair, seed: int = 0) -> dict:
    torch.manual_seed(seed)
    np.random.seed(seed)
    return pair.data_preprocessor(tiny.batch(), training=True)


def test_a_teacher_of_other_classes_has_those_of_its_checkpoint(tmp_path, data_root, checkpoints):
    teacher = tmp_path / 'teacher.pth'
    classes = ('ring', 'star', 'square', 'ball')
    weights = tiny.build(tiny.faster_rcnn(num_classes=4), 1).state_dict()
    torch.save(dict(state_dict=weights, meta=dict(dataset_meta=dict(classes=classes))), teacher)
    cfg = tiny_data.distill_config(data_root, str(teacher), classes=tiny_data.CLASSES, data_root=str(data_root))
    cfg.model.class_map = dict(disc='ball')
    pair = build_pair(load_pair_config(tiny_data.dump(cfg, tmp_path / 'config.py')), checkpoints[0])
    assert pair.teacher.roi_head.bbox_head.num_classes == 4


class TestObserving:
    def test_same_as_in_the_step(self, pair):
        state = {name: value.clone() for name, value in pair.state_dict().items()}
        pair.train()
        data = prepared(pair)
        alone = pair.observe(data['inputs'], data['data_samples'], embeddings=True)
        pair.load_state_dict(state)
        observation = pair.distiller.observe_next_step()
        data = prepared(pair)
        pair.loss(data['inputs'], data['data_samples'])
        pair.distiller.observer = None
        during = observation.step
        torch.testing.assert_close(alone.boxes, during.boxes, rtol=0, atol=0)
        torch.testing.assert_close(alone.student.logits, during.student.logits, rtol=0, atol=0)
        torch.testing.assert_close(alone.teacher.logits, during.teacher.logits, rtol=0, atol=0)
        assert alone.student.embeddings.shape == (64, 24)
        assert during.student.embeddings is None
        terms = observation.terms['loss_kd']
        assert terms.weights.shape == terms.divergence.shape == (64,)
        assert not any(tensor.requires_grad for tensor in (*terms[:2], during.student.logits))


class TestCollect:
    def test_bounds(self, pair):
        seen = []
        table = collect_proposals(
            pair, [tiny.batch(seed=seed) for seed in range(4)], 'abc', max_images=3, progress=lambda *a: seen.append(a)
        )
        assert (len(table.image_paths), len(table)) == (3, 96)
        assert [(images, proposals) for images, proposals, _ in seen] == [(2, 64), (3, 96)]
        assert sorted(set(table.images.tolist())) == [0, 1, 2]
        batches = iter([tiny.batch(seed=seed) for seed in range(4)])
        assert len(collect_proposals(pair, batches, 'abc', max_bytes=1)) == 64
        assert len(list(batches)) == 3  # nobody asked for more

    def test_foreground_overlaps_the_objects(self, pair):
        data = tiny.batch()
        table = collect_proposals(pair, [data], 'abc')
        for image, sample in enumerate(data['data_samples']):
            rows = (table.images == image) & table.is_foreground
            assert rows.any()
            truth = sample.gt_instances
            overlaps = bbox_overlaps(torch.from_numpy(table.boxes[rows]), truth.bboxes)
            best = overlaps.max(dim=1)
            assert bool((best.values >= 0.5).all())
            assert truth.labels[best.indices].tolist() == table.labels[rows].tolist()

    def test_nothing_to_collect(self, pair):
        with pytest.raises(ConfigError, match='train_dataloader'):
            collect_proposals(pair, [], 'abc')


class TestBoxesInFile:
    def test_resized_and_flipped(self):
        matrix = np.array([[-1, 0, 200], [0, 1, 0], [0, 0, 1]]) @ np.diag([2.0, 4.0, 1.0])
        rois = np.array([[1, 20, 40, 60, 80], [0, 1, 2, 3, 4]], np.float32)
        result = boxes_in_file(rois, [{}, dict(homography_matrix=matrix)])
        assert result.tolist() == [[70, 10, 90, 20], [1, 2, 3, 4]]


class TestCommand:
    @pytest.mark.parametrize('split', ['train', 'val'])
    def test_end_to_end(self, tmp_path, config, checkpoints, data_root, split, capsys):
        arguments = [config, checkpoints[0], '--out', str(tmp_path), '--split', split, '--images', '3', '--embeddings']
        assert main(['collect', *arguments]) == 0
        table = ProposalTable.load(tmp_path / 'proposals.npz')
        assert table.classes.tolist() == list(tiny_data.CLASSES)
        assert {str(path).split('/')[-2] for path in table.image_paths} == {split}
        assert len(set(table.image_paths.tolist())) == 3
        assert table.student_embeddings.shape == (len(table), 24)
        assert table.origin['split'] == split
        assert not np.array_equal(table.student_logits, table.teacher_logits)
        assert 'proposals of 3 images' in capsys.readouterr().out
        _assert_positives_are_on_the_objects(table, tiny_data.read_annotations(data_root, split))

    def test_same_seed_same_table(self, tmp_path, config, checkpoints):
        for name in ('one', 'two'):
            assert main(['collect', config, checkpoints[0], '--out', str(tmp_path / name), '--images', '2']) == 0
        one, two = (ProposalTable.load(tmp_path / name / 'proposals.npz') for name in ('one', 'two'))
        np.testing.assert_array_equal(one.student_logits, two.student_logits)
        assert one.image_paths.tolist() == two.image_paths.tolist()

    def test_teacher_alone_is_its_own_student(self, tmp_path, config):
        assert main(['collect', config, '--out', str(tmp_path), '--images', '2']) == 0
        table = ProposalTable.load(tmp_path / 'proposals.npz')
        assert table.origin['student'] == 'the teacher itself'
        # The student's BatchNorm takes the batch's statistics, as in a step; the teacher's its own.
        assert table.student_logits.shape == table.teacher_logits.shape

    @pytest.mark.parametrize(
        ('extra', 'message'),
        [
            (['nowhere.pth'], 'student_checkpoint: '),
            (['--images', '0'], '--images: expected a number > 0'),
            (['--cfg-options', 'model.teacher_ckpt='], 'model.teacher_ckpt: expected the weights'),
        ],
    )
    def test_errors_in_one_line(self, tmp_path, config, extra, message, capsys):
        assert main(['collect', config, *extra, '--out', str(tmp_path)]) == 1
        assert f'Error: {message}' in capsys.readouterr().err

    def test_a_pair_with_a_method_is_a_config(self, capsys):
        assert main(['collect', f'{configs_dir()}/pairs/r18w32-r18w16_demo.py+kdd']) == 1
        assert 'Error: config: expected a method of configs/methods' in capsys.readouterr().err

    def test_a_plain_config_is_refused(self, tmp_path, data_root, capsys):
        config = tiny_data.dump(tiny_data.student_config(data_root), tmp_path / 'student.py')
        assert main(['collect', config]) == 1
        assert 'Error: model: expected ' in capsys.readouterr().err


def _assert_positives_are_on_the_objects(table: ProposalTable, annotations: dict) -> None:
    ids = {f'{image["file_name"]}': image['id'] for image in annotations['images']}
    for index, path in enumerate(table.image_paths):
        assert cv2.imread(str(path)).shape == (64, 80, 3)
        image_id = ids[str(path).split('/')[-1]]
        true = [item for item in annotations['annotations'] if item['image_id'] == image_id]
        rows = (table.images == index) & table.is_foreground
        boxes = torch.tensor([item['bbox'] for item in true], dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        best = bbox_overlaps(torch.from_numpy(table.boxes[rows]), boxes).max(dim=1)
        assert bool((best.values >= 0.5).all())
        assert [true[item]['category_id'] - 1 for item in best.indices] == table.labels[rows].tolist()


def test_flipped_training_images_are_taken_back(data_root, checkpoints):
    cfg = tiny_data.distill_config(data_root, checkpoints[1])
    loading, resize, annotations, pack = cfg.train_dataloader.dataset.pipeline
    resize.scale = (160, 128)
    flip = dict(type='RandomFlip', prob=1.0)
    cfg.train_dataloader.dataset.pipeline = [loading, annotations, resize, flip, pack]
    path = tiny_data.dump(cfg, data_root / 'flipped.py')
    cfg = load_pair_config(path)
    batches = build_batches(cfg, 'train')
    table = collect_proposals(build_pair(cfg, checkpoints[0]), batches, tiny_data.CLASSES, max_images=4)
    _assert_positives_are_on_the_objects(table, json.loads(tiny_data.annotation_file(data_root, 'train').read_text()))


def test_progress_line():
    stream = io.StringIO()
    show = progress_line(4, stream, every_seconds=0.0)
    show(2, 64, 1_000_000)
    show(4, 128, 2_000_000)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith('2/4 images  64 proposals  1 MB')
    assert lines[1].startswith('4/4 images  128 proposals  2 MB  0 s left')
    stream = io.StringIO()
    progress_line(4, stream, every_seconds=60.0)(2, 64, 1)
    assert stream.getvalue() == ''
