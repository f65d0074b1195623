from __future__ import annotations

from tests.test_cli.conftest import as_if_alone, shared_data, teacher_ckpt, trained, workspace

__all__ = ['as_if_alone', 'shared_data', 'teacher_ckpt', 'trained', 'workspace']
