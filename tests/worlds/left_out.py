"""What random worlds leave out for now, each with the reason. Every test over them prints this list."""

from __future__ import annotations

LEFT_OUT = {}
