"""What holds for every test of the service."""

from __future__ import annotations

from tests.fakes.spoken import refusals_are_sentences

__all__ = ["refusals_are_sentences"]
