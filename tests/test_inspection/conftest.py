from __future__ import annotations

from tests.test_cli.conftest import as_if_alone as as_if_alone
from tests.test_cli.conftest import shared_data as shared_data
from tests.test_cli.conftest import teacher_ckpt as teacher_ckpt
from tests.test_cli.conftest import trained as trained
from tests.test_cli.conftest import workspace as workspace
