"""No other site may act with a visitor's cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import HTTPException, Request

HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


async def csrf_guard(request: Request) -> None:
    """Refuse a change that a browser sends from another origin.

    What the browser says (``sec-fetch-site``) comes first: where everybody is an administrator, Airflow adds an
    ``authorization`` header to every request, so that header proves nothing. Browsers leave ``sec-fetch-site`` out
    on plain http; there the origin must be ours. A program that is not a browser sends neither.
    """
    if request.method in HARMLESS:
        return
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin":
        return
    origin = request.headers.get("origin")
    if site is None and (origin is None or urlsplit(origin).netloc.lower() in own_hosts(request)):
        return
    raise HTTPException(403, {"reason": "cross_origin", "message": "A request from another origin was refused."})


def own_hosts(request: Request) -> set[str]:
    """The hosts under which this server is known. A page can't set these headers for another origin."""
    named = (
        request.headers.get("host", ""),
        request.headers.get("x-forwarded-host", "").split(",")[0].strip(),
        urlsplit(conf.get("api", "base_url", fallback="")).netloc,
    )
    return {host.lower() for host in named if host}
