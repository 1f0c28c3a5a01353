"""Telling people how a rerun goes: targets, messages, channels."""
