"""Print the targets of a Makefile and what the `##` behind each says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TARGET = re.compile(r"^([a-z-]+):.*?## (.+)$", re.MULTILINE)


def main() -> None:
    """Print one line per documented target of the files that are named."""
    for name in sys.argv[1:]:
        for target, text in TARGET.findall(Path(name).read_text()):
            print(f"  make {target:<14} {text}")


if __name__ == "__main__":
    main()
