from tests.test_distillation.conftest import one_thread  # noqa: F401
