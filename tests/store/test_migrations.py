"""The migrations make the tables that the code has, take them back, and survive what can happen to a database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine

from airflow_rerun_downstream.domain.errors import SchemaMismatch
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from airflow_rerun_downstream.store.schema import SchemaState
from airflow_rerun_downstream.store.tables import TABLES, VERSION_TABLE, metadata
from tests.store.databases import REAL, bare_database, connect, folder


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return bare_database(request.param)


def state(engine: Engine) -> SchemaState:
    with engine.connect() as connection:
        return schema.state(connection)


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def ours(engine: Engine) -> set[str]:
    return {name for name in inspect(engine).get_table_names() if "rerun_downstream" in name}


def refusal(engine: Engine) -> SchemaMismatch:
    with pytest.raises(SchemaMismatch) as raised, engine.connect() as connection:
        schema.check(connection)
    return raised.value


def test_the_listed_revisions_are_those_of_the_folder() -> None:
    script = ScriptDirectory.from_config(schema.config())
    assert [one.revision for one in script.walk_revisions()] == list(reversed(schema.REVISIONS))
    assert script.get_heads() == [schema.HEAD]


def test_migrations_make_what_the_code_has(engine: Engine) -> None:
    schema.upgrade(engine)
    options = {
        "version_table": VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _parents: kind != "table" or name in TABLES,
    }
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        assert differences == []
        schema.check(connection)
        assert schema.current_revision(connection) == schema.HEAD


def described(engine: Engine) -> dict[str, object]:
    look = inspect(engine)
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in look.get_columns(name)],
            look.get_pk_constraint(name),
            sorted(look.get_foreign_keys(name), key=str),
            sorted(look.get_indexes(name), key=str),
            sorted(look.get_unique_constraints(name), key=str),
        )
        for name in sorted(TABLES)
    }


def test_migrated_and_created_tables_are_the_same_to_the_names(engine: Engine) -> None:
    schema.upgrade(engine)
    migrated = described(engine)
    with engine.begin() as connection:
        schema.drop(connection)
        metadata.create_all(connection)
    assert described(engine) == migrated


def test_what_a_member_was_at_the_first_revision_it_is_afterwards(engine: Engine) -> None:
    schema.upgrade(engine, schema.REVISIONS[0])
    assert state(engine) is SchemaState.OLDER
    columns = "id, rerun_id, dag_id, run_id, role, state, tasks, depth, attempt"
    day = "'2026-01-01 00:00:00'"
    run(
        engine,
        "INSERT INTO rerun_downstream_rerun (id, source_dag_id, source_run_id, state, freeze_mode, created_by, "
        "created_by_id, created_at, settings, notifications, options, warnings) "
        f"VALUES (7, 'a', 'r', 'running', false, 'ada', '1', {day}, '{{}}', '[]', '{{}}', '[]')",
        f"INSERT INTO rerun_downstream_member ({columns}) VALUES (1, 7, 'a', 'r', 'source', 'pending', '[]', 0, 0)",
    )
    schema.upgrade(engine)
    assert state(engine) is SchemaState.READY
    with engine.connect() as connection:
        assert connection.execute(text("SELECT state FROM rerun_downstream_member")).scalar_one() == "pending"


@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_tables_whose_revision_was_lost_are_brought_to_the_newest(engine: Engine, revision: str) -> None:
    schema.upgrade(engine, revision)
    run(engine, f"DROP TABLE {VERSION_TABLE}")
    schema.upgrade(engine)
    assert state(engine) is SchemaState.READY


def test_a_downgrade_to_base_leaves_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    schema.downgrade(engine, schema.BASE)
    assert ours(engine) == set()
    schema.downgrade(engine, schema.BASE)
    schema.upgrade(engine)
    assert state(engine) is SchemaState.READY


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    day = "'2026-01-01 00:00:00'"
    run(engine, f"INSERT INTO rerun_downstream_process VALUES ('a:1', 'x', true, true, NULL, {day}, {day}, 0, NULL)")
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rerun_downstream_process")).scalar_one() == 1


@pytest.mark.parametrize("revision", schema.REVISIONS[:-1])
def test_tables_of_every_revision_become_the_codes_with_their_rows(engine: Engine, revision: str) -> None:
    schema.upgrade(engine, revision)
    day = "'2026-01-01 00:00:00'"
    insert = "INSERT INTO rerun_downstream_process (id, kind, asset_manager, freeze_hook, started_at, seen_at)"
    run(engine, f"{insert} VALUES ('a:1', 'x', true, true, {day}, {day})")
    assert state(engine) is SchemaState.OLDER
    schema.upgrade(engine)
    assert state(engine) is SchemaState.READY
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM rerun_downstream_process")).scalars().all() == ["a:1"]
    schema.downgrade(engine, revision)
    assert state(engine) is SchemaState.OLDER


def test_other_tables_are_left_alone(engine: Engine) -> None:
    run(engine, "CREATE TABLE dag_run (id int)", "CREATE TABLE alembic_version (version_num varchar(32))")
    try:
        schema.upgrade(engine)
        schema.downgrade(engine, schema.BASE)
        assert {"dag_run", "alembic_version"} <= set(inspect(engine).get_table_names())
    finally:
        run(engine, "DROP TABLE dag_run", "DROP TABLE alembic_version")


def test_what_older_lines_name_is_not_known(engine: Engine) -> None:
    schema.upgrade(engine, "0001")
    day = "'2026-01-01 00:00:00'"
    owner = f"1, 'a', 'r', 'succeeded', false, '{{}}', '[]', '[]', '{{}}', 'ana', '1', {day}"
    columns = "id, source_dag_id, source_run_id, state, freeze_mode, settings, notifications, warnings, options"
    run(
        engine,
        f"INSERT INTO rerun_downstream_rerun ({columns}, created_by, created_by_id, created_at) VALUES ({owner})",
        *(
            f"INSERT INTO rerun_downstream_event (rerun_id, at, actor, action) VALUES (1, {day}, 'x', '{action}')"
            for action in ("submit", "member_adopted")
        ),
    )
    schema.upgrade(engine)
    with engine.connect() as connection:
        events = SqlRerunStore(connection).events(1)
    assert [(each.action, each.dag_ids) for each in events] == [("submit", frozenset()), ("member_adopted", None)]
    schema.downgrade(engine, "0001")
    schema.upgrade(engine)


class TestCheck:
    def test_not_migrated(self, engine: Engine) -> None:
        found = refusal(engine)
        assert found.extra == {"state": "missing"}
        assert "don't exist" in found.detail
        assert "`airflow-rerun-downstream db migrate`" in found.detail
        assert "`airflow db migrate`" in found.detail

    def test_downgraded(self, engine: Engine) -> None:
        schema.upgrade(engine)
        schema.downgrade(engine, schema.BASE)
        assert refusal(engine).extra == {"state": "missing"}

    def test_tables_dropped_while_the_version_stayed(self, engine: Engine) -> None:
        schema.upgrade(engine)
        with engine.begin() as connection:
            metadata.drop_all(connection)
        assert refusal(engine).extra == {"state": "missing"}
        schema.upgrade(engine)
        assert state(engine) is SchemaState.READY

    def test_one_table_dropped(self, engine: Engine) -> None:
        schema.upgrade(engine)
        run(engine, "DROP TABLE rerun_downstream_gate")
        found = refusal(engine)
        assert found.extra == {"state": "incomplete"}
        assert "are missing" in found.detail
        assert "db migrate" in found.detail
        schema.upgrade(engine)
        assert state(engine) is SchemaState.READY

    def test_the_version_is_gone(self, engine: Engine) -> None:
        schema.upgrade(engine)
        run(engine, f"DROP TABLE {VERSION_TABLE}")
        assert refusal(engine).extra == {"state": "incomplete"}
        schema.upgrade(engine)
        assert state(engine) is SchemaState.READY

    @pytest.mark.parametrize("revision", schema.REVISIONS)
    def test_the_version_of_older_tables_is_gone(self, engine: Engine, revision: str) -> None:
        schema.upgrade(engine, revision)
        run(engine, f"DROP TABLE {VERSION_TABLE}")
        schema.upgrade(engine)
        assert state(engine) is SchemaState.READY

    def test_newer_than_the_code(self, engine: Engine) -> None:
        schema.upgrade(engine)
        run(engine, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        found = refusal(engine)
        assert found.extra == {"state": "newer"}
        assert "newer version" in found.detail
        with pytest.raises(SchemaMismatch, match="newer version"):
            schema.upgrade(engine)

    def test_older_than_the_code(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        schema.upgrade(engine)
        monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
        monkeypatch.setattr(schema, "HEAD", "9999")
        found = refusal(engine)
        assert found.extra == {"state": "older"}
        assert "older than the installed package" in found.detail
        assert (found.reason, found.status) == ("database_not_migrated", 503)


def test_an_interrupted_upgrade_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:  # the last table of the migration is in its way
        metadata.tables["rerun_downstream_process"].create(connection)
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(engine)
    assert ours(engine) == {"rerun_downstream_process"}


@pytest.mark.parametrize("backend", REAL)
def test_processes_may_upgrade_at_once(backend: str) -> None:
    engine = bare_database(backend)
    url = engine.url.render_as_string(hide_password=False)
    engines = [connect(url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(schema.upgrade, engines))
    assert state(engine) is SchemaState.READY
    for one in engines:
        one.dispose()


def test_the_scripts_of_a_postgres_migration_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    from alembic import command

    command.upgrade(schema.config(url="postgresql+psycopg2://somewhere/airflow"), "head", sql=True)
    printed = capsys.readouterr().out
    assert all(f"CREATE TABLE {table} " in printed for table in TABLES)
    assert VERSION_TABLE in printed


def test_alembics_own_command_line_finds_the_migrations() -> None:
    from alembic.config import Config

    ini = Config(str(schema.FOLDER / "alembic.ini"))
    assert ScriptDirectory.from_config(ini).get_heads() == [schema.HEAD]


def test_the_folder_of_databases_is_this_processs_own() -> None:
    assert folder().name.startswith("rd-store-")


def test_what_waited_for_whom_is_kept_when_members_get_stages_and_when_they_lose_them(engine: Engine) -> None:
    rerun = "id, source_dag_id, source_run_id, state, freeze_mode, created_by, created_by_id, created_at"
    texts = "settings, notifications, options, warnings"
    member = "id, rerun_id, dag_id, run_id, role, state, tasks, depth, attempt"
    schema.upgrade(engine, "0005")
    run(
        engine,
        f"INSERT INTO rerun_downstream_rerun ({rerun}, {texts}) VALUES "
        "(1, 'a', 'r', 'running', '0', 'ann', '1', '2026-01-01 00:00:00', '{}', '[]', '{}', '[]')",
        f"INSERT INTO rerun_downstream_member ({member}) VALUES (1, 1, 'a', 'r', 'source', 'running', '[]', 0, 1)",
        f"INSERT INTO rerun_downstream_member ({member}) VALUES (2, 1, 'b', 'r', 'downstream', 'pending', '[]', 1, 0)",
        "INSERT INTO rerun_downstream_gate (member_id, waits_for_member_id, rerun_id) VALUES (2, 1, 1)",
    )

    def rows(statement: str) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    schema.upgrade(engine)
    gates = "SELECT member_id, waits_for_member_id, stage, until_stage, rerun_id FROM rerun_downstream_gate"
    assert rows(gates) == [(2, 1, 0, None, 1)]
    assert rows("SELECT id, stages, stage, stage_attempt FROM rerun_downstream_member ORDER BY id") == [
        (1, None, 0, 0),
        (2, None, 0, 0),
    ]
    run(engine, "UPDATE rerun_downstream_rerun SET state = 'terminated'")  # tables that are in use aren't taken back
    schema.downgrade(engine, "0005")
    assert rows("SELECT * FROM rerun_downstream_gate") == [(2, 1, 1)]
