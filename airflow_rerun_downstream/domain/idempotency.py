"""Whoever repeats a submit, because no answer came, gets the rerun that was made, not another one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from airflow_rerun_downstream.domain.rerun_request import Actor


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A user's name for one submit. Both fields are digests: ``key`` of user and name, ``body`` of what was asked."""

    key: str
    body: str

    @classmethod
    def of(cls, actor: Actor, name: str, body: str) -> IdempotencyKey:
        """The key that a user has given to a request; the same name is another key with another user."""
        return cls(users_key(actor, name), digest(body))


def users_key(actor: Actor, name: str) -> str:
    """The digest of a user and a name that the user has given."""
    return digest(actor.id, "" if actor.id else actor.name, name)


def digest(*parts: str) -> str:
    """A digest of texts, which tells where one ends and the next begins."""
    return sha256(json.dumps(parts).encode()).hexdigest()


class KeyTaken(Exception):
    """Another submit has used the key meanwhile. The transaction is spoilt."""
