"""A finished run as a function of a photo, and its export."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.apis import inference_detector, init_detector

from eakd_det.cli.export import main, read_record
from eakd_det.errors import ConfigError
from eakd_det.export import Detector, OnnxDetector
from tests import tiny_data


def test_a_detector_finds_what_mmdetection_finds(trained):
    detector = Detector.load(trained.work_dir, 'cpu')
    photo = str(trained.data / 'val' / '1.png')
    found = detector(photo)
    stock = init_detector(str(trained.work_dir / 'student.py'), str(trained.work_dir / 'student.pth'), device='cpu')
    expected = inference_detector(stock, photo).pred_instances
    assert detector.classes == tiny_data.CLASSES
    assert len(found) == len(expected.scores) > 0
    np.testing.assert_allclose(found.scores, expected.scores.numpy(), rtol=1e-5)
    np.testing.assert_allclose(found.boxes[0], expected.bboxes[0].numpy(), rtol=1e-4)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'has no student\.py'):
        Detector.load(tmp_path)


def test_a_model_of_the_zoo_is_loaded_by_its_name():
    """Its config is for anyone's data; the weights tell the number of classes."""
    detector = Detector.load('zoo://cards-student', 'cpu')
    assert detector.model.roi_head.bbox_head.num_classes == len(detector.classes) == 6
    card = np.full((150, 200, 3), 90, np.uint8)
    card[30:120, 60:120] = 240
    card[60:90, 80:100] = (200, 30, 30)
    found = detector(card).above(0.5)
    assert found.names == ['ace']
    np.testing.assert_allclose(found.boxes[0], (60, 30, 120, 120), atol=20)
    with pytest.raises(ConfigError, match=r'^run: expected a model of the zoo'):
        Detector.load('zoo://absent')


@pytest.mark.slow
def test_the_command_exports_checks_and_measures(trained, tmp_path, capsys):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    out = tmp_path / 'export'
    assert main([str(trained.work_dir), '--out', str(out)]) == 0
    printed = capsys.readouterr().out
    assert 'agree' in printed
    assert '| model_int8.onnx |' in printed
    detector, photo = OnnxDetector(out / 'model.onnx'), trained.data / 'val' / '1.png'
    np.testing.assert_allclose(detector(photo).scores, Detector.load(trained.work_dir, 'cpu')(photo).scores, atol=1e-3)
    assert OnnxDetector(out / 'model_int8.onnx').classes == tiny_data.CLASSES
    assert read_record(tmp_path)['parity']['unmatched'] == 0


def test_a_file_of_another_program_is_refused(tmp_path):
    pytest.importorskip('onnxruntime')
    with pytest.raises(ConfigError, match='does not exist'):
        OnnxDetector(tmp_path / 'no.onnx')
