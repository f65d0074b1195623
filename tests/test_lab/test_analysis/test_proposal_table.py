"""What is written is what is read, and nothing else is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight, entropy
from eakd_det.lab.analysis import ProposalTable
from tests.test_lab.test_analysis.conftest import make_table


@pytest.mark.parametrize('embeddings', [0, 5])
def test_round_trip(tmp_path, embeddings):
    table = make_table(embeddings=embeddings)
    table.save(tmp_path / 'new' / 'table.npz')
    again = ProposalTable.load(tmp_path / 'new' / 'table.npz')
    for field in dataclasses.fields(table):
        before, after = getattr(table, field.name), getattr(again, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
            assert before.dtype == after.dtype
        else:
            assert before == after
    assert (again.student_embeddings is None) == (embeddings == 0)


def test_derived():
    table = make_table()
    student, teacher = torch.from_numpy(table.student_logits), torch.from_numpy(table.teacher_logits)
    np.testing.assert_array_equal(table.weights(2.0, 'interact'), ea_weight(student, teacher, 2.0, 'interact').numpy())
    np.testing.assert_array_equal(table.entropies(2.0)[1], entropy(teacher, 2.0).numpy())
    np.testing.assert_array_equal(table.is_foreground, table.labels < 3)
    np.testing.assert_array_equal(table.student_errs, table.student_logits.argmax(1) != table.labels)
    assert len(table) == 60


class TestRefused:
    def test_other_files(self, tmp_path):
        path = tmp_path / 'table.npz'
        with pytest.raises(ConfigError, match='there is no file'):
            ProposalTable.load(path)
        path.write_text('not a table')
        with pytest.raises(ConfigError, match='is not '):
            ProposalTable.load(path)
        np.savez(path, labels=np.zeros(3))
        with pytest.raises(ConfigError, match='has no student_logits, teacher_logits'):
            ProposalTable.load(path)

    def test_pickled_objects_are_not_loaded(self, tmp_path):
        path = tmp_path / 'table.npz'
        make_table().save(path)
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **{**arrays, 'classes': np.array([{'a': 1}], dtype=object)})
        with pytest.raises(ConfigError, match='is not '):
            ProposalTable.load(path)
