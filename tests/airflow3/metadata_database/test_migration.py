from __future__ import annotations

from sqlalchemy import func, select, text


def test_airflow_and_the_test_see_one_database(database, session):
    from airflow.models import Variable
    from airflow.utils.session import create_session

    Variable.set("seen", "yes", session=session)
    session.commit()
    with create_session() as other:
        assert other.scalar(select(func.count()).select_from(Variable)) == 1
    assert session.get_bind().dialect.name.startswith(database.backend)


def test_a_test_finds_no_rows_of_another(database, session):
    from airflow.models import Variable
    from airflow.models.pool import Pool

    session.add(Variable(key="left", val="behind"))
    session.add(Pool(pool="left", slots=1, include_deferred=False))
    session.commit()
    database.empty()
    assert session.scalar(select(func.count()).select_from(Variable)) == 0
    assert session.scalar(select(func.count()).select_from(Pool)) == 1


def test_statements_are_counted(database, session):
    with database.counted() as statements:
        session.execute(text("SELECT 1"))
        session.execute(text("SELECT 2"))
    session.execute(text("SELECT 3"))
    assert len(statements) == 2
