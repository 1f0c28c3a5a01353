"""The asset manager to configure, as ``[core] asset_manager_class``: `RerunAssetManager` of this module.

A site that has an asset manager of its own puts the mixin before it instead::

    from airflow_rerun_downstream.airflow3.asset_manager import RerunAssetMixin

    class OurManager(RerunAssetMixin, SiteManager): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.assets.manager import AssetManager

    from airflow_rerun_downstream.airflow3.hooks.asset_events import RerunAssetMixin

    class RerunAssetManager(RerunAssetMixin, AssetManager):
        """Airflow's asset manager, in which the events of a rerun start no Dag run that had run before."""


def __getattr__(name: str) -> Any:
    """Make the class when it is asked for.

    Airflow's module of asset managers asks for it at its own end. Were the parent class imported above, importing
    this module first would end in a circle, and in an Airflow that doesn't start.
    """
    if name != "RerunAssetManager":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow.assets.manager import AssetManager

    from airflow_rerun_downstream.airflow3.hooks.asset_events import RerunAssetMixin

    if name not in globals():  # the import above may have come here itself
        doc = "Airflow's asset manager, in which the events of a rerun start no Dag run that had run before."
        made = type(name, (RerunAssetMixin, AssetManager), {"__doc__": doc, "__module__": __name__})
        globals()[name] = made
    return globals()[name]
