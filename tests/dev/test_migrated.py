"""Only the first Airflow of a kind makes its tables; the others have the same, each its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import migrated


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(migrated, "_folder", lambda: tmp_path / "kept")


class Home:
    """What an Airflow does about its tables; ``broken`` fails in the middle."""

    def __init__(self, folder: Path, *, broken: bool = False) -> None:
        self.folder, self.broken, self.made = folder, broken, False
        folder.mkdir()

    def set_up(self, kind: str) -> Home:
        migrated.make_or_copy(kind, self.folder, self.folder / "data", self._make)
        return self

    def _make(self) -> None:
        self.made = True
        (self.folder / "data").mkdir()
        (self.folder / "airflow.cfg").write_text(f"plugins_folder = {self.folder}/plugins")
        if self.broken:
            raise RuntimeError("as arranged")
        (self.folder / "data" / "rows").write_text(str(self.folder.name))


def test_the_next_of_a_kind_gets_a_copy_with_its_own_home(tmp_path: Path) -> None:
    first, second, other = (Home(tmp_path / name).set_up(kind) for name, kind in (("1", "a"), ("2", "a"), ("3", "b")))
    assert [one.made for one in (first, second, other)] == [True, False, True]
    assert (second.folder / "data" / "rows").read_text() == "1"
    assert (second.folder / "airflow.cfg").read_text() == f"plugins_folder = {second.folder}/plugins"
    (second.folder / "data" / "rows").write_text("changed")
    third = Home(tmp_path / "4").set_up("a")
    assert (third.folder / "data" / "rows").read_text() == "1"


def test_what_failed_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="as arranged"):
        Home(tmp_path / "1", broken=True).set_up("a")
    assert Home(tmp_path / "2").set_up("a").made
