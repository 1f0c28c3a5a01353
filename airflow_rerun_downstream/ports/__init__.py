"""What the inside needs of the outside, a file for each port.

Each port has a fake of the same file name in ``tests/fakes``, an implementation per generation of Airflow, and one
suite in ``tests/contracts`` that runs over all of them. A unit of work owns the transaction: nothing here commits on
its own, and Airflow's rows and ours commit together.
"""
