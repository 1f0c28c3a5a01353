"""What each verb does."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice

from pydantic import BaseModel

from airflow_rerun_downstream import host, unsupported
from airflow_rerun_downstream.cli import admin_commands, estimate_tables, releases, rendering
from airflow_rerun_downstream.cli.arguments import Verb
from airflow_rerun_downstream.cli.backends import Backend, backend, local
from airflow_rerun_downstream.cli.bodies import plan_body, rerun_body
from airflow_rerun_downstream.cli.exit_codes import ExitCode, Usage
from airflow_rerun_downstream.cli.layout import print_parts
from airflow_rerun_downstream.cli.progress import every_member, followed
from airflow_rerun_downstream.cli.streams import answer, say
from airflow_rerun_downstream.cli.verbs import VERBS
from airflow_rerun_downstream.client.exceptions import StillRunning
from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES, RerunState
from airflow_rerun_downstream.rest import installation_payloads, presenters, record_payloads
from airflow_rerun_downstream.rest.exports import proof_csv
from airflow_rerun_downstream.rest.requests import OptionsBody, PlanBody, RerunBody, RunRefBody
from airflow_rerun_downstream.settings import InvalidSetting

PAGE = 50
"""Entries of a list in a table, where nobody says how many."""


class RerunWithMembers(record_payloads.Rerun):
    """A record for programs, in one object."""

    members: list[record_payloads.Member]


def plan(args: Namespace) -> int:
    """Preview."""
    body = plan_body(args)
    rendering.show(backend(args).plan(body), args.output)
    return ExitCode.DONE


def submit(args: Namespace) -> int:
    """Store a rerun, and wait for it if that is wanted; or only say what would happen."""
    return submitted(args, rerun_body(args))


def propose(args: Namespace) -> int:
    """Store a rerun for somebody else to approve; or only say what an approval would do."""
    return submitted(args, rerun_body(args).model_copy(update={"propose": True}))


def submitted(args: Namespace, body: RerunBody) -> int:
    """Send a rerun, or only ask about it."""
    if args.dry_run and args.wait:
        raise Usage("Give either --dry-run or --wait, not both.")
    to = backend(args)
    if args.dry_run:
        rendering.show(to.review(body), args.output)
        return ExitCode.DONE
    return shown(args, to, to.submit(body, idempotency_key=args.idempotency_key))


def shown(args: Namespace, to: Backend, rerun: record_payloads.Rerun) -> int:
    """Print a rerun, see `at_its_end`."""
    rerun, code = at_its_end(args, to, rerun)
    rendering.show(rerun, args.output)
    return code


def at_its_end(args: Namespace, to: Backend, rerun: record_payloads.Rerun) -> tuple[record_payloads.Rerun, ExitCode]:
    """A rerun, and how that ended; if it is to be waited for, as it is at its end or when the time is over."""
    if not args.wait:
        return rerun, ExitCode.DONE
    try:
        rerun = followed(to, rerun.id, timeout=args.timeout)
    except StillRunning as late:
        say(late)
        return to.rerun(rerun.id), ExitCode.TIMEOUT
    return rerun, ExitCode.DONE if rerun.state is RerunState.SUCCEEDED else ExitCode.UNSUCCESSFUL


def approve(args: Namespace) -> int:
    """Carry out a proposal, and wait for the rerun if that is wanted; or only say what that would do."""
    if args.dry_run and args.wait:
        raise Usage("Give either --dry-run or --wait, not both.")
    to = backend(args)
    if args.dry_run:
        rendering.show(to.proposal_review(args.rerun_id), args.output)
        return ExitCode.DONE
    return shown(args, to, to.approve(args.rerun_id, plan_token=args.plan_token))


def reject(args: Namespace) -> int:
    """End a proposal."""
    rendering.show(backend(args).reject(args.rerun_id, reason=args.reason), args.output)
    return ExitCode.DONE


def list_reruns(args: Namespace) -> int:
    """A page of records."""
    to = backend(args)
    found = to.reruns(
        state=args.state,
        dag_id=args.dag_id,
        run_id=args.run_id,
        search=args.search,
        created_by=args.created_by,
        created_at_gte=args.created_at_gte,
        created_at_lte=args.created_at_lte,
        frozen=True if args.frozen else None,
        order_by=args.order_by,
        limit=args.limit,
        offset=args.offset,
    )
    rendering.show(found, args.output)
    if args.frozen and args.output == "table":
        answer("")
        print_parts(rendering.frozen_tables(found.reruns, releases.frozen_members(to, found.reruns)))
    return ExitCode.DONE


def show(args: Namespace) -> int:
    """A record with its members, or a part of it."""
    to = backend(args)
    limit = PAGE if args.limit is None else args.limit
    if args.part:
        parts: Mapping[str, Callable[..., BaseModel]] = {
            "members": to.members,
            "not-made-anew": to.not_made_anew,
            "links": to.links,
            "events": to.events,
            "notifications": to.notifications,
        }
        rendering.show(parts[args.part](args.rerun_id, limit=limit, offset=args.offset), args.output)
        return ExitCode.DONE
    rerun, code = at_its_end(args, to, to.rerun(args.rerun_id))
    if args.output == "table":
        rendering.show(rerun, args.output)
        if rerun.state not in FINAL_RERUN_STATES and not args.wait:
            print_parts(estimate_tables.lines(to.estimate(args.rerun_id, limit=0)))
        answer("")
        rendering.show(to.members(args.rerun_id, limit=limit, offset=args.offset), args.output)
        left = to.not_made_anew(args.rerun_id, limit=limit, offset=0)
        if left.not_made_anew:
            answer("")
            rendering.show(left, args.output)
    else:
        found = list(islice(every_member(to, args.rerun_id, offset=args.offset), args.limit))
        rendering.show(RerunWithMembers(**dict(rerun), members=found), args.output)
    return code


def verify(args: Namespace) -> int:
    """The proof of a rerun; negative when something is wrong, or it is too early to tell."""
    found = backend(args).proof(args.rerun_id, limit=args.limit)
    if args.csv:
        answer(proof_csv(found), end="")
    else:
        rendering.show(found, args.output)
    return ExitCode.NEGATIVE if found.counts.violations or found.counts.open else ExitCode.DONE


def estimate(args: Namespace) -> int:
    """When a rerun is expected to end, and what decides that."""
    rendering.show(backend(args).estimate(args.rerun_id, limit=args.limit), args.output)
    return ExitCode.DONE


def call(verb: Verb, args: Namespace) -> int:
    """A verb that is a call: its answer."""
    answer: Callable[..., BaseModel] = getattr(backend(args), verb.name)
    rendering.show(answer(*(getattr(args, name) for name in verb.ids)), args.output)
    return ExitCode.DONE


def release(args: Namespace) -> int:
    """Release frozen runs."""
    return releases.release(args, backend(args))


def links(args: Namespace) -> int:
    """The edges of a Dag, the links that a plan from one of its runs finds, or what a file declares."""
    if args.check:
        return admin_commands.check_links(args)
    if not args.dag_id:
        raise Usage("Give DAG_ID, or DAG_ID and RUN_ID.")
    if not args.run_id:
        if args.include_manual:
            raise Usage("--include-manual needs RUN_ID.")
        rendering.show(backend(args).edges(args.dag_id), args.output)
        return ExitCode.DONE
    body = PlanBody(
        source=RunRefBody(dag_id=args.dag_id, run_id=args.run_id),
        options=OptionsBody(include_manual=args.include_manual),
    )
    found = backend(args).plan(body).links
    rendering.show(record_payloads.Links(links=found, total_entries=len(found)), args.output)
    return ExitCode.DONE


def health(args: Namespace) -> int:
    """The installation; negative when something doesn't work."""
    found = local_health(args) if local(args) else backend(args).health()
    rendering.show(found, args.output)
    return ExitCode.NEGATIVE if found.status == "unhealthy" else ExitCode.DONE


def local_health(args: Namespace) -> installation_payloads.Health:
    """The installation beside us, also where nothing else of ours works."""
    if not host.supported():
        return unsupported.health()
    try:
        return backend(args).health()
    except InvalidSetting:
        return presenters.health(host.room("wiring").health_without_settings(details=True))


def targets(args: Namespace) -> int:
    """Whom reruns may tell."""
    rendering.show(backend(args).notification_targets(), args.output)
    return ExitCode.DONE


def test_target(args: Namespace) -> int:
    """Send a target a test."""
    rendering.show(backend(args).send_test(args.target), args.output)
    return ExitCode.DONE


def comment(args: Namespace) -> int:
    """Write into the record."""
    rendering.show(backend(args).comment(args.rerun_id, args.text), args.output)
    return ExitCode.DONE


ACTIONS: Mapping[str, Callable[[Namespace], int]] = {
    **{verb.name: partial(call, verb) for verb in VERBS if verb.calls},
    "plan": plan,
    "submit": submit,
    "propose": propose,
    "approve": approve,
    "reject": reject,
    "list": list_reruns,
    "show": show,
    "verify": verify,
    "estimate": estimate,
    "release": release,
    "comment": comment,
    "links": links,
    "conductor": admin_commands.conductor,
    "db": admin_commands.db,
    "check-upgrade": admin_commands.check_upgrade,
    "check-config": admin_commands.check_config,
    "health": health,
    "targets": targets,
    "test-target": test_target,
}
