"""Parse a COCO annotation file as strictly as those that read it later."""

from __future__ import annotations

import gc
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from eakd_det.datasets.json_records import kind_of, shown
from eakd_det.errors import ConfigError

_DEEPEST = 200


def read_coco_json(path: Path) -> dict[str, Any]:
    """Return the content of a COCO file.

    Raises:
        ConfigError: If it cannot be read, is no JSON in UTF-8, or holds something else; a verb phrase for the caller to
            put the file in front.
    """
    try:
        data = _load_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f'cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:  # not text, not JSON, or cut off
        raise ConfigError(f'is no valid JSON, or is truncated ({error})') from error
    if not isinstance(data, dict) or 'images' not in data or 'categories' not in data:
        held = f'the keys {shown(sorted(data))}' if isinstance(data, dict) else kind_of(data)
        raise ConfigError(f'is no COCO annotation file: expected images, annotations and categories, but got {held}')
    return data


def _load_json(text: bytes) -> Any:
    """Parse ``text``.

    The collector is told to wait, since it would search the millions of new objects again and again for nothing.
    """
    was_enabled, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    # Somebody may have raised the limit to where a file of nothing but brackets overflows the stack.
    sys.setrecursionlimit(min(limit, len(traceback.extract_stack(limit=limit)) + _DEEPEST))
    try:
        return json.loads(text.decode())  # as strict as pycocotools: UTF-8, no byte order mark
    finally:
        sys.setrecursionlimit(limit)
        if was_enabled:
            gc.enable()
