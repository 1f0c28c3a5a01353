"""Rerun Downstream: repair the Dag runs that consumed wrong data, in dependency order."""

__version__ = "0.1.0"
