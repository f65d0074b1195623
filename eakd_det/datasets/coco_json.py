"""Parse COCO annotation files as strictly as pycocotools."""

from __future__ import annotations

import gc
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from eakd_det.datasets.json_records import quote_names, type_name
from eakd_det.errors import ConfigError

_DEEPEST = 200


def read_coco_json(path: Path) -> dict[str, Any]:
    """Read a COCO file.

    Raises:
        ConfigError: If the file cannot be read, is not JSON in UTF-8 or not COCO. The message is a verb phrase; the
            caller prepends the file.
    """
    try:
        data = _load_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f'cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:  # not text, not JSON, or cut off
        raise ConfigError(f'is not valid JSON, or is truncated ({error})') from error
    if not isinstance(data, dict) or 'images' not in data or 'categories' not in data:
        found = f'the keys {quote_names(sorted(data))}' if isinstance(data, dict) else type_name(data)
        raise ConfigError(f'is not a COCO annotation file: expected images, annotations, categories, but got {found}')
    return data


def _load_json(text: bytes) -> Any:
    """Parse ``text``.

    Garbage collection is paused, because it would repeatedly scan millions of new objects.
    """
    was_enabled, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    # Under a raised limit, a file of nested brackets could overflow the stack.
    sys.setrecursionlimit(min(limit, len(traceback.extract_stack(limit=limit)) + _DEEPEST))
    try:
        return json.loads(text.decode())  # as strict as pycocotools: UTF-8, no byte order mark
    finally:
        sys.setrecursionlimit(limit)
        if was_enabled:
            gc.enable()
