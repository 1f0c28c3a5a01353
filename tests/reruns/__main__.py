"""`python -m tests.reruns 41 196`: tells the examples of these seeds from top to bottom, and their faults."""

from __future__ import annotations

import sys

from tests.reruns.telling import told

for seed in sys.argv[1:]:
    print("\n".join(told(seed)))
