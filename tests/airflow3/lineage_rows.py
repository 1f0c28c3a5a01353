"""The lineage table: each kind and variant of a link is a row. How runs are named, `lineage_history` says.

A row is Dags and their history, a source, and exactly the links that the source's plan has, each written as

    <upstream run>.<producing task> > <downstream run>.<consuming task>: <kind> <evidence>

where a task is left out if the run as a whole is meant, and ``dag@?`` is a run that can't be told. The Dags are in
``tests/acceptance/dags_lineage``.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.airflow3.lineage_history import (
    Step,
    as_before,
    by_hand,
    cleaned,
    emitted,
    lost,
    made,
    never_there,
    rendered,
    skipped,
    started,
    waited,
)


@dataclass(frozen=True)
class Row:
    """``runs``: scheduled ones; ``past``: what became of them. ``tasks``: the source's; None: the default.

    ``partitions``: needs partitioned assets or schedules, which Airflow 3.1 doesn't have.
    """

    kind: str
    variant: str
    runs: str
    source: str
    links: tuple[str, ...]
    past: tuple[Step, ...] = ()
    tasks: tuple[str, ...] | None = None
    manual: bool = False
    partitions: bool = False

    def __str__(self) -> str:
        return f"{self.kind}, {self.variant}"


MADE, OTHER, MANY = "lineage://assets/made", "lineage://assets/other", "lineage://assets/many"

ASSETS = (
    Row("asset", "one asset", "make@03-28", "make@03-28",
        ("make@03-28.load > plain#1: asset recorded",),
        (emitted("make@03-28.load", MADE, "plain#1"),)),
    Row("asset", "over two hops", "make@03-28", "make@03-28",
        ("make@03-28.load > plain#1: asset recorded", "plain#1.load > second#1: asset recorded"),
        (emitted("make@03-28.load", MADE, "plain#1"), emitted("plain#1.load", "lineage://assets/plain", "second#1"))),
    Row("asset", "an event that nobody consumed, and another run's", "make@03-28/03-29", "make@03-28", (),
        (emitted("make@03-28.load", MADE), emitted("make@03-29.load", MADE, "plain#1"))),
    Row("asset", "several consumers of one event", "make@03-28", "make@03-28",
        ("make@03-28.load > plain#1: asset recorded", "make@03-28.load > either#1: asset recorded"),
        (emitted("make@03-28.load", MADE, "plain#1", "either#1"),)),
    Row("asset", "an alias", "make@03-28", "make@03-28",
        ("make@03-28.name_it > aliased#1: asset recorded",),
        (emitted("make@03-28.name_it", "lineage://assets/through-alias", "aliased#1"),)),
    Row("asset", "both of two assets", "make@03-28 other@03-28", "make@03-28",
        ("make@03-28.load > both#1: asset recorded",),
        (emitted("make@03-28.load", MADE, "both#1"), emitted("other@03-28.load", OTHER, "both#1"))),
    Row("asset", "either of two assets", "make@03-28 other@03-28", "other@03-28",
        ("other@03-28.load > either#2: asset recorded",),
        (emitted("make@03-28.load", MADE, "either#1"), emitted("other@03-28.load", OTHER, "either#2"))),
    Row("asset", "several producers of one asset", "make@03-28 again@03-28T12:00", "again@03-28T12:00",
        ("again@03-28T12:00.load > plain#1: asset recorded",),
        (emitted("make@03-28.load", MADE, "plain#1"), emitted("again@03-28T12:00.load", MADE, "plain#1"))),
    Row("asset", "a mapped producer: one link for its events", "many@03-28", "many@03-28",
        ("many@03-28.each > many_reader#1: asset recorded",),
        tuple(emitted("many@03-28.each", MANY, "many_reader#1", map_index=index) for index in range(3))),
    Row("asset", "events of several cycles consumed by one run", "make@03-22/03-28", "make@03-25",
        ("make@03-25.load > plain#week: asset recorded",),
        tuple(emitted(f"make@03-{day}.load", MADE, "plain#week") for day in range(22, 29))),
    Row("asset", "narrowed to the chosen task", "make@03-28", "make@03-28",
        ("make@03-28.spare > spare_reader#1: asset recorded",),
        (emitted("make@03-28.load", MADE, "plain#1"),
         emitted("make@03-28.spare", "lineage://assets/spare", "spare_reader#1")), ("spare",)),
    Row("asset", "a partition", "parts@03-28/03-29", "parts@03-28",
        ("parts@03-28.cut > part_reader#28: asset recorded",),
        (emitted("parts@03-28.cut", "lineage://assets/parts", "part_reader#28"),
         emitted("parts@03-29.cut", "lineage://assets/parts", "part_reader#29")), partitions=True),
    Row("asset", "events that were cleaned away", "make@03-28 again@03-28T12:00", "make@03-28",
        ("make@03-28.load > both@?: asset unresolved", "make@03-28.load > either@?: asset unresolved",
         "make@03-28.load > plain@?: asset unresolved", "make@03-28 > second@?: asset unresolved"),
        (emitted("again@03-28T12:00.load", MADE, "plain#2"), cleaned("make@03-28.load", "plain#1"))),
    Row("asset", "events of another asset were cleaned away", "make@03-28", "make@03-28",
        ("make@03-28.load > plain#1: asset recorded", "make@03-28.spare > spare_reader@?: asset unresolved"),
        (emitted("make@03-28.load", MADE, "plain#1"), cleaned("make@03-28.spare", "spare_reader#1"))),
    Row("asset", "a task that was skipped has left no event", "make@03-28", "make@03-28", ()),
)  # fmt: skip

TRIGGERS = (
    Row("trigger", "a new run", "parent@03-28", "parent@03-28",
        ("parent@03-28.go > child#1: trigger recorded",),
        (made("parent@03-28.go", "child#1"),)),
    Row("trigger", "nested", "parent@03-28", "parent@03-28",
        ("parent@03-28.go > child#1: trigger recorded", "child#1.hand_on > grandchild#1: trigger recorded"),
        (made("parent@03-28.go", "child#1"), made("child#1.hand_on", "grandchild#1"))),
    Row("trigger", "a fixed run id", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_fixed > fixed_child#fixed: trigger recorded",),
        (made("parent@03-28.go_fixed", "fixed_child#fixed", linked=False),)),
    Row("trigger", "reset_dag_run: the same run of two parents", "parent@03-27/03-28", "parent@03-27",
        ("parent@03-27.go_fixed > fixed_child#fixed: trigger recorded",),
        (made("parent@03-27.go_fixed", "fixed_child#fixed"), made("parent@03-28.go_fixed", "fixed_child#fixed"))),
    Row("trigger", "a templated target, by its link", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_named > named_child#1: trigger recorded",),
        (made("parent@03-28.go_named", "named_child#1"),)),
    Row("trigger", "a templated target, by what was rendered", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_named > named_child#1: trigger recorded",),
        (made("parent@03-28.go_named", "named_child#1", linked=False),
         rendered("parent@03-28.go_named", trigger_dag_id="named_child"))),
    Row("trigger", "a templated target, by the run's id", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_named > named_child#1: trigger derived",),
        (made("parent@03-28.go_named", "named_child#1", linked=False),)),
    Row("trigger", "a templated target, by the run's id, which two Dags have", "parent@03-28", "parent@03-28",
        ("parent@03-28.go > child#1: trigger recorded", "parent@03-28.go_named > child@?: trigger unresolved",
         "parent@03-28.go_named > named_child@?: trigger unresolved",
         "parent@03-28 > grandchild@?: trigger unresolved"),
        (made("parent@03-28.go", "child#1"), made("parent@03-28.go_named", "named_child#1", linked=False))),
    Row("trigger", "only the link of the UI is left", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_named > named_child#1: trigger recorded",),
        (made("parent@03-28.go_named", "named_child#1", noted=False),)),
    Row("trigger", "nothing is left", "parent@03-28", "parent@03-28",
        ("parent@03-28.go > child@?: trigger unresolved", "parent@03-28 > grandchild@?: trigger unresolved"),
        (made("parent@03-28.go", "child#1", linked=False, noted=False),)),
    Row("trigger", "mapped over Dags", "parent@03-28", "parent@03-28",
        ("parent@03-28.go_mapped > mapped_one#1: trigger recorded",
         "parent@03-28.go_mapped > mapped_two#1: trigger recorded"),
        (made("parent@03-28.go_mapped", "mapped_one#1", map_index=0),
         made("parent@03-28.go_mapped", "mapped_two#1", map_index=1))),
    Row("trigger", "narrowed to a task before it", "parent@03-28", "parent@03-28",
        ("parent@03-28.go > child#1: trigger recorded",),
        (made("parent@03-28.go", "child#1"),), ("load",)),
    Row("trigger", "narrowed to a task beside it", "parent@03-28", "parent@03-28", (),
        (made("parent@03-28.go", "child#1"),), ("aside",)),
    Row("trigger", "a run that does nothing else", "root@03-28", "root@03-28",
        ("root@03-28.go > root_child#1: trigger recorded",),
        (made("root@03-28.go", "root_child#1"),)),
    Row("trigger", "the trigger itself is chosen", "root@03-28", "root@03-28",
        ("root@03-28.go > root_child#1: trigger recorded",),
        (made("root@03-28.go", "root_child#1"),), ("go",)),
)  # fmt: skip

WAITS = (
    Row("sensor", "one task", "up@03-28 one_task@03-27/03-29", "up@03-28",
        ("up@03-28 > one_task@03-28.wait: sensor derived",)),
    Row("sensor", "one task, recorded", "up@03-28 one_task@03-27/03-29", "up@03-28",
        ("up@03-28 > one_task@03-28.wait: sensor recorded",),
        (waited("one_task@03-28.wait", "up", "03-28", tasks=["load"]),)),
    Row("sensor", "a record beats what the Dag says by now", "up@03-28 one_task@03-28/03-29", "up@03-28",
        ("up@03-28 > one_task@03-29.wait: sensor recorded",),
        (waited("one_task@03-28.wait", "up", "03-27", tasks=["load"]),
         waited("one_task@03-29.wait", "up", "03-28", tasks=["load"]))),
    Row("sensor", "several tasks", "up@03-28 two_tasks@03-28", "up@03-28",
        ("up@03-28 > two_tasks@03-28.wait: sensor derived",), (), ("side",)),
    Row("sensor", "a task group", "up@03-28 a_group@03-28", "up@03-28",
        ("up@03-28 > a_group@03-28.wait: sensor derived",), (), ("group.one",)),
    Row("sensor", "the whole run", "up@03-28 the_run@03-28", "up@03-28",
        ("up@03-28 > the_run@03-28.wait: sensor derived",), (), ("side",)),
    Row("sensor", "narrowed to the chosen task", "up@03-28 one_task@03-28 two_tasks@03-28 a_group@03-28", "up@03-28",
        ("up@03-28 > two_tasks@03-28.wait: sensor derived",), (), ("side",)),
    Row("sensor", "narrowed to the chosen task, recorded", "up@03-28 one_task@03-28 a_group@03-28", "up@03-28",
        ("up@03-28 > a_group@03-28.wait: sensor recorded",),
        (waited("one_task@03-28.wait", "up", "03-28", tasks=["load"]),
         waited("a_group@03-28.wait", "up", "03-28", group="group")), ("group.two",)),
    Row("sensor", "mapped", "up@03-28 mapped@03-28", "up@03-28",
        ("up@03-28 > mapped@03-28.wait: sensor derived",)),
    Row("sensor", "templated ids", "up@03-28 templated@03-28", "up@03-28",
        ("up@03-28 > templated@03-28.wait: sensor derived",),
        (rendered("templated@03-28.wait", external_dag_id="up", external_task_id="load"),)),
    Row("sensor", "templated ids that name another Dag", "up@03-28 templated@03-28", "up@03-28", (),
        (rendered("templated@03-28.wait", external_dag_id="other", external_task_id="load"),)),
    Row("sensor", "templated ids that Airflow has forgotten", "up@03-28 templated@03-28", "up@03-28",
        ("up@03-28 > templated@?.wait: sensor unresolved",)),
    Row("sensor", "deferrable", "up@03-28 deferrable@03-28", "up@03-28",
        ("up@03-28 > deferrable@03-28.wait: sensor derived",)),
    Row("sensor", "a subclass", "up@03-28 own@03-28/03-29", "up@03-28",
        ("up@03-28 > own@03-29.wait: sensor derived",)),
    Row("sensor", "a mapped subclass, whose offset nobody knows", "up@03-28 own_mapped@03-28/03-29", "up@03-28",
        ("up@03-28 > own_mapped@03-28.wait: sensor assumed", "up@03-28 > own_mapped@?.wait: sensor unresolved")),
    Row("sensor", "a mapped subclass, recorded", "up@03-28 own_mapped@03-28/03-29", "up@03-28",
        ("up@03-28 > own_mapped@03-29.wait: sensor recorded",),
        (waited("own_mapped@03-28.wait", "up", "03-27", map_index=0),
         waited("own_mapped@03-29.wait", "up", "03-28", map_index=0))),
    Row("sensor", "a subclass that reckons its dates itself", "up_own@03-28 own_dates@03-28/03-31", "up_own@03-28",
        ("up_own@03-28 > own_dates@?.wait: sensor unresolved",)),
)  # fmt: skip

OWN_CLASSES = (
    Row("sensor", "a class that chooses its Dag, not recorded", "up_own@03-28 choosing@03-28", "up_own@03-28",
        ("up_own@03-28 > choosing@?.wait: sensor unresolved",)),
    Row("sensor", "a class that chooses its Dag: the record says which", "up_other@03-28 choosing@03-28",
        "up_other@03-28",
        ("up_other@03-28 > choosing@03-28.wait: sensor recorded",),
        (waited("choosing@03-28.wait", "up_other", "03-28"),)),
    Row("sensor", "a class that chooses its Dag: it chose another one", "up_own@03-28 choosing@03-28", "up_own@03-28",
        (), (waited("choosing@03-28.wait", "up_other", "03-28"),)),
    Row("sensor", "one of somebody's own that names a Dag", "up_other@03-28 latest@03-28/03-29", "up_other@03-28",
        ("up_other@03-28 > latest@?.wait: sensor unresolved",)),
    Row("sensor", "one of somebody's own, which ran before", "up_other@03-28 latest@03-26/03-27", "up_other@03-28", ()),
    Row("sensor", "one of somebody's own, and a run without a logical date", "latest@03-28/03-29", "up_other#mine",
        ("up_other#mine > latest@?.wait: sensor unresolved",), (by_hand("up_other#mine", "03-28"),)),
    Row("sensor", "one of somebody's own that names another Dag", "up@03-28 latest@03-28", "up@03-28", ()),
)  # fmt: skip

INDEXES = (
    Row("sensor", "mapped over Dags, one index recorded: the other one", "up_other@03-28 two_dags@03-28",
        "up_other@03-28",
        ("up_other@03-28 > two_dags@03-28.wait: sensor derived",),
        (waited("two_dags@03-28.wait", "up", "03-28", tasks=["load"], map_index=0),)),
    Row("sensor", "mapped over Dags, one index recorded: that one", "up@03-28 two_dags@03-28", "up@03-28",
        ("up@03-28 > two_dags@03-28.wait: sensor recorded",),
        (waited("two_dags@03-28.wait", "up", "03-28", tasks=["load"], map_index=0),)),
    Row("sensor", "mapped over Dags, the record names another day", "up@03-28 two_dags@03-28", "up@03-28", (),
        (waited("two_dags@03-28.wait", "up", "03-27", tasks=["load"], map_index=0),)),
    Row("sensor", "mapped over offsets", "up@03-28 two_deltas@03-27/03-30", "up@03-28",
        ("up@03-28 > two_deltas@03-28.wait: sensor derived", "up@03-28 > two_deltas@03-29.wait: sensor derived")),
    Row("sensor", "mapped over offsets, one index recorded", "up@03-28 two_deltas@03-28/03-29", "up@03-28",
        ("up@03-28 > two_deltas@03-29.wait: sensor derived",),
        (waited("two_deltas@03-28.wait", "up", "03-25", map_index=0),)),
    Row("sensor", "in a mapped group, recorded", "up@03-28 in_groups@03-28", "up@03-28",
        ("up@03-28 > in_groups@03-28.each.wait: sensor recorded",),
        tuple(waited("in_groups@03-28.each.wait", "up", "03-28", tasks=[name], map_index=index)
              for index, name in enumerate(("load", "side"))), ("side",)),
    Row("sensor", "in a mapped group, one index recorded", "up@03-28 in_groups@03-28", "up@03-28",
        ("up@03-28 > in_groups@03-28.each.wait: sensor recorded",
         "up@03-28 > in_groups@?.each.wait: sensor unresolved"),
        (waited("in_groups@03-28.each.wait", "up", "03-28", tasks=["load"], map_index=0),)),
    Row("sensor", "in a mapped group, rendered", "up@03-28 in_groups@03-28", "up@03-28",
        ("up@03-28 > in_groups@03-28.each.wait: sensor derived",),
        tuple(rendered("in_groups@03-28.each.wait", map_index=index, external_dag_id="up", external_task_id=name)
              for index, name in enumerate(("load", "side"))), ("side",)),
)  # fmt: skip

WHAT_HAPPENED = (
    Row("sensor", "skipped by a branch", "up@03-28 one_task@03-28", "up@03-28", (),
        (skipped("one_task@03-28.wait", by_itself=False),)),
    Row("sensor", "skipped by itself: what it waited for had failed", "up@03-28 one_task@03-28", "up@03-28",
        ("up@03-28 > one_task@03-28.wait: sensor derived",),
        (skipped("one_task@03-28.wait", by_itself=True),)),
    Row("sensor", "a function, skipped by a branch", "up_one@03-28 by_function@03-28/03-29", "up_one@03-28", (),
        (skipped("by_function@03-28T01:00.wait", by_itself=False),)),
    Row("sensor", "a function, skipped by itself", "up_one@03-28 by_function@03-28/03-29", "up_one@03-28",
        ("up_one@03-28 > by_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_all@?.wait: sensor unresolved"),
        (skipped("by_function@03-28T01:00.wait", by_itself=True),)),
    Row("sensor", "a run without that task", "up@03-28 one_task@03-28", "up@03-28", (),
        (never_there("one_task@03-28.wait"),)),
)  # fmt: skip

CHANGED = (
    Row("sensor", "pointed elsewhere since, by the run's own version", "up@03-28 repointed@03-28/03-29", "up@03-28",
        ("up@03-28 > repointed@03-28.wait: sensor derived",), (as_before("repointed@03-28"),)),
    Row("sensor", "pointed elsewhere since, from the Dag that it names now",
        "up_other@03-28/03-29 repointed@03-28/03-29", "up_other@03-28", (), (as_before("repointed@03-28"),)),
    Row("sensor", "pointed elsewhere since, recorded", "up@03-28 repointed@03-28", "up@03-28",
        ("up@03-28 > repointed@03-28.wait: sensor recorded",),
        (as_before("repointed@03-28"), waited("repointed@03-28.wait", "up", "03-28"))),
    Row("sensor", "another offset since", "up@03-28 moved@03-28/03-30", "up@03-28",
        ("up@03-28 > moved@03-29.wait: sensor derived", "up@03-28 > moved@03-30.wait: sensor derived"),
        (as_before("moved@03-29"),)),
    Row("sensor", "another offset since: by today's it isn't", "up@03-28 moved@03-29/03-30", "up@03-28", (),
        (as_before("moved@03-30"),)),
    Row("sensor", "a Dag that is gone, recorded", "up@03-28 one_task@03-28", "up@03-28",
        ("up@03-28 > one_task@03-28.wait: sensor recorded",),
        (waited("one_task@03-28.wait", "up", "03-28", tasks=["load"]), lost("one_task"))),
)  # fmt: skip

OFFSETS = (
    Row("sensor", "a delta of an hour", "up@03-28 an_hour_later@03-28/03-29", "up@03-28",
        ("up@03-28 > an_hour_later@03-28T01:00.wait: sensor derived",)),
    Row("sensor", "a delta across days", "up@03-28 two_days_later@03-28/03-31", "up@03-28",
        ("up@03-28 > two_days_later@03-30.wait: sensor derived",)),
    Row("sensor", "a negative delta across midnight", "up@03-28 an_hour_earlier@03-27/03-29", "up@03-28",
        ("up@03-28 > an_hour_earlier@03-27T23:00.wait: sensor derived",)),
    Row("sensor", "a month, from its middle", "up@02-15 a_month_later@03-14/03-16", "up@02-15",
        ("up@02-15 > a_month_later@03-15.wait: sensor derived",)),
    Row("sensor", "a month, from the end of a short one", "up@02-28 a_month_later@03-27/04-01", "up@02-28",
        tuple(f"up@02-28 > a_month_later@03-{day}.wait: sensor derived" for day in (28, 29, 30, 31))),
    Row("sensor", "a month, from a day that the next one hasn't", "up@01-31 a_month_later@02-27/03-03", "up@01-31",
        ()),
    Row("sensor", "a function, one date", "up_one@03-28 by_function@03-28/03-30", "up_one@03-28",
        ("up_one@03-28 > by_function@03-28T01:00.wait: sensor recorded",),
        (waited("by_function@03-28T01:00.wait", "up_one", "03-28"),
         waited("by_function@03-29T01:00.wait", "up_one", "03-29"))),
    Row("sensor", "a function, one of two runs recorded", "up_one@03-28 by_function@03-28/03-30", "up_one@03-28",
        ("up_one@03-28 > by_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_all@?.wait: sensor unresolved"),
        (waited("by_function@03-28T01:00.wait", "up_one", "03-27"),)),
    Row("sensor", "a function without a record", "up_one@03-28 by_function@03-28/03-30", "up_one@03-28",
        ("up_one@03-28 > by_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_function@?.wait: sensor unresolved",
         "up_one@03-28 > after_all@?.wait: sensor unresolved")),
    Row("sensor", "a function, several dates: daily to weekly", "up_week@03-15/03-28 weekly@03-15/03-29",
        "up_week@03-25",
        ("up_week@03-25 > weekly@03-29.wait: sensor recorded",),
        (waited("weekly@03-22.wait", "up_week", *(f"03-{day}" for day in range(15, 22))),
         waited("weekly@03-29.wait", "up_week", *(f"03-{day}" for day in range(22, 29))))),
    Row("sensor", "a function, several dates: hourly to daily", "up_hourly@03-28/03-28T23:00 daily@03-27/03-29",
        "up_hourly@03-28T17:00",
        ("up_hourly@03-28T17:00 > daily@03-28.wait: sensor recorded",),
        tuple(waited(f"daily@03-{day}.wait", "up_hourly", *(f"03-{day}T{hour:02}:00" for hour in range(24)))
              for day in (28, 29))),
)  # fmt: skip

CALENDARS = (
    Row("sensor", "an interval's run, read a day later", "up_interval@03-27/03-29 of_interval@03-27/03-30",
        "up_interval@03-28",
        ("up_interval@03-28 > of_interval@03-29.wait: sensor derived",)),
    Row("sensor", "an interval's run reads a trigger's", "up@03-27/03-29 of_trigger@03-27/03-29", "up@03-28",
        ("up@03-28 > of_trigger@03-28.wait: sensor derived",)),
    Row("sensor", "a time zone, over the change of its clocks",
        "up_berlin@03-28/03-30T12:00 berlin@03-28/03-30T12:00", "up_berlin@03-29T04:00",
        ("up_berlin@03-29T04:00 > berlin@03-29T04:00.wait: sensor derived",)),
    Row("sensor", "a day later, after the change of the clocks",
        "up_berlin@03-28/03-30T12:00 berlin_day_after@03-28/03-31T12:00", "up_berlin@03-29T04:00",
        ("up_berlin@03-29T04:00 > berlin_day_after@03-30T04:00.wait: sensor derived",)),
    Row("sensor", "a day later, over the change of the clocks: 24 hours are too many",
        "up_berlin@03-28/03-30T12:00 berlin_day_after@03-28/03-31T12:00", "up_berlin@03-28T05:00", ()),
    Row("sensor", "another time zone, in summer", "up_berlin@03-27/03-30T12:00 utc_after_berlin@03-27/03-30T12:00",
        "up_berlin@03-30T04:00",
        ("up_berlin@03-30T04:00 > utc_after_berlin@03-30T05:00.wait: sensor derived",)),
    Row("sensor", "another time zone, in winter", "up_berlin@03-27/03-30T12:00 utc_after_berlin@03-27/03-30T12:00",
        "up_berlin@03-27T05:00", ()),
    Row("sensor", "a timetable of the deployment's own", "up_custom@03-20/03-29 custom@03-20/03-29", "up_custom@03-23",
        ("up_custom@03-23 > custom@03-23.wait: sensor derived",)),
    Row("sensor", "a run without a logical date", "up@03-27/03-29 undated@03-27/03-29", "up@03-28",
        ("up@03-28 > undated@03-28.wait: sensor derived",), partitions=True),
    Row("sensor", "a person's run without a logical date", "up@03-28", "up@03-28",
        ("up@03-28 > one_task#mine.wait: sensor derived",), (by_hand("one_task#mine", "03-28"),), manual=True),
    Row("sensor", "a run without a logical date isn't waited for", "one_task@03-28", "up#mine", (),
        (by_hand("up#mine", "03-28"),)),
)  # fmt: skip

MARKERS = (
    Row("marker", "this date, the next, the next month, and one that only a running task knows",
        "marking@01-31 marked@01-30/03-01", "marking@01-31",
        ("marking@01-31.mark > marked@01-31.read: marker derived",
         "marking@01-31.mark_next > marked@02-01.read: marker derived",
         "marking@01-31.mark_month > marked@02-28.read: marker derived",
         "marking@01-31.mark_live > marked@?.read: marker unresolved")),
    Row("marker", "narrowed to the chosen marker", "marking@03-28 marked@03-28/03-29", "marking@03-28",
        ("marking@03-28.mark_next > marked@03-29.read: marker derived",), (), ("mark_next",)),
    Row("marker", "no run at the date", "marking@03-28", "marking@03-28", (), (), ("load",)),
)  # fmt: skip

RATES = "lineage://assets/rates"

INLETS = (
    Row("inlet", "read after this run's event and before the next's", "rates@03-27/03-28 rates_reader@03-26/03-28",
        "rates@03-27",
        ("rates@03-27.fetch > rates_reader@03-27.read: inlet derived",),
        (emitted("rates@03-27.fetch", RATES), emitted("rates@03-28.fetch", RATES),
         started("rates_reader@03-26.read", "03-26T00:05"), started("rates_reader@03-27.read", "03-27T00:05"),
         started("rates_reader@03-28.read", "03-28T00:05"))),
    Row("inlet", "read late: the event of a later run", "rates@03-27/03-28 rates_reader@03-27", "rates@03-28",
        ("rates@03-28.fetch > rates_reader@03-27.read: inlet derived",),
        (emitted("rates@03-27.fetch", RATES), emitted("rates@03-28.fetch", RATES),
         started("rates_reader@03-27.read", "03-28T09:00"))),
    Row("inlet", "narrowed to a task that emits nothing", "rates@03-28 rates_reader@03-28", "rates@03-28", (),
        (emitted("rates@03-28.fetch", RATES), started("rates_reader@03-28.read", "03-28T00:05")), ("aside",)),
    Row("inlet", "by the clock or by the asset: the run of the clock", "rates@03-27/03-28 rates_either@03-27/03-28",
        "rates@03-27",
        ("rates@03-27.fetch > rates_either#1: asset recorded",
         "rates@03-27.fetch > rates_either@03-27T06:00.read: inlet derived"),
        (emitted("rates@03-27.fetch", RATES, "rates_either#1"), emitted("rates@03-28.fetch", RATES),
         started("rates_either#1.read", "03-27T00:05"), started("rates_either@03-27T06:00.read", "03-27T06:01"))),
    Row("inlet", "by the clock or by the asset: the run that another event started",
        "rates@03-27/03-28 rates_either@03-27/03-28", "rates@03-28",
        ("rates@03-28.fetch > rates_either#2: asset recorded",),
        (emitted("rates@03-27.fetch", RATES, "rates_either#1"), emitted("rates@03-28.fetch", RATES, "rates_either#2"),
         started("rates_either#1.read", "03-28T00:05"), started("rates_either#2.read", "03-28T00:05"))),
    Row("inlet", "two Dags make the asset: the last of each", "rates@03-27/03-28 more_rates@03-27/03-29 "
        "rates_reader@03-27/03-28", "rates@03-27",
        ("rates@03-27.fetch > rates_reader@03-27.read: inlet derived",),
        (emitted("rates@03-27.fetch", RATES), emitted("more_rates@03-27T01:00.fetch", RATES),
         emitted("rates@03-28.fetch", RATES), emitted("more_rates@03-28T01:00.fetch", RATES),
         started("rates_reader@03-27.read", "03-27T02:00"), started("rates_reader@03-28.read", "03-28T02:00"))),
    Row("inlet", "events that were cleaned away", "rates@03-27/03-28 rates_reader@03-27/03-28", "rates@03-27",
        ("rates@03-27.fetch > rates_either@?: asset unresolved",
         "rates@03-27.fetch > rates_reader@?.read: inlet unresolved"),
        (emitted("rates@03-28.fetch", RATES), cleaned("rates@03-27.fetch"),
         started("rates_reader@03-27.read", "03-27T00:05"), started("rates_reader@03-28.read", "03-28T00:05"))),
)  # fmt: skip

PASTS = (
    Row("previous_run", "depends_on_past", "past@03-28/03-28T18:00", "past@03-28T06:00",
        ("past@03-28T06:00.add > past@03-28T12:00.add: previous_run derived",
         "past@03-28T12:00.add > past@03-28T18:00.add: previous_run derived")),
    Row("previous_run", "narrowed to a task that no later run waits for", "past@03-28/03-28T18:00",
        "past@03-28T06:00", (), (), ("show",)),
    Row("previous_run", "wait_for_downstream", "strict_past@03-28/03-29", "strict_past@03-28",
        ("strict_past@03-28 > strict_past@03-29.add: previous_run derived",), (), ("show",)),
)  # fmt: skip

DECLARED = (
    Row("declared", "the file's offset", "writer@03-28 reader@03-27/03-29", "writer@03-28",
        ("writer@03-28.copy > reader@03-28T06:00.fetch: declared declared",)),
    Row("declared", "narrowed to another task", "writer@03-28 reader@03-28/03-29", "writer@03-28", (), (), ("aside",)),
    Row("declared", "a consumer without a logical date can't be told by the offset", "writer@03-28",
        "writer@03-28",
        ("writer@03-28.copy > reader@?.fetch: declared unresolved",), (by_hand("reader#mine", "03-28T01:00"),)),
    Row("declared", "no run, and none without a logical date", "writer@03-28", "writer@03-28", ()),
    Row("declared", "the first consumer within the time that the file gives", "dropper@03-28", "dropper@03-28",
        ("dropper@03-28 > picker#2: declared declared", "dropper@03-28 > named_picker@?: declared unresolved"),
        (by_hand("picker#1", "03-27T23:00"), by_hand("picker#2", "03-28T01:00"), by_hand("picker#3", "03-28T02:00")),
        manual=True),
    Row("declared", "none within the time that the file gives", "dropper@03-28", "dropper@03-28",
        ("dropper@03-28 > picker@?: declared unresolved", "dropper@03-28 > named_picker@?: declared unresolved"),
        (by_hand("picker#1", "03-28T07:00"),), manual=True),
    Row("declared", "the consumers by their ids", "dropper@03-28", "dropper@03-28",
        ("dropper@03-28 > picker@?: declared unresolved",
         "dropper@03-28 > named_picker#of-20260328-b: declared declared",
         "dropper@03-28 > named_picker#of-20260328-a: declared declared"),
        (by_hand("named_picker#of-20260327-a", "03-28T01:00"), by_hand("named_picker#of-20260328-a", "03-28T01:00"),
         by_hand("named_picker#of-20260328-b", "03-28T03:00")), manual=True),
    Row("declared", "a run without a logical date", "reader@03-28T06:00", "writer#mine",
        ("writer#mine.copy > reader@?.fetch: declared unresolved",), (by_hand("writer#mine", "03-28"),)),
)  # fmt: skip

SENSORS = (*WAITS, *OWN_CLASSES, *INDEXES, *WHAT_HAPPENED, *CHANGED, *OFFSETS)

ROWS = (*ASSETS, *TRIGGERS, *SENSORS, *CALENDARS, *MARKERS, *INLETS, *PASTS, *DECLARED)
