"""Who is downstream of whom: one file per kind of link. Facts come through a port; nothing here touches Airflow."""
