from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# bootstrap.py finds its package beside itself, as Python does for every script.
sys.path.insert(0, str(ROOT / 'tools' / 'dev'))
