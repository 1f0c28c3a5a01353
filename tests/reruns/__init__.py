"""Random reruns, played from the first run of every Dag on, and judged by what was executed when.

`making` makes an example from its seed, `scheduler` plays Airflow's part in it, `people` everybody else's; `story` is
what was executed, by one true clock, and `oracle` judges a rerun by that and by its record alone.
"""
