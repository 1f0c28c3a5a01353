"""The public name of `RerunAssetMixin`, for a site that has an asset manager of its own."""

from airflow_rerun_downstream.airflow3.hooks.asset_events import RerunAssetMixin

__all__ = ["RerunAssetMixin"]
