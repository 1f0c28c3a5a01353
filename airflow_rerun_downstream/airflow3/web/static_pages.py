"""The web pages: one HTML document for every address below ``/ui``, and the files that the build has put beside it.

They are public, as Airflow's own are; what they show comes from the API, which isn't.
"""

from __future__ import annotations

import re
import secrets
from html import escape
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from airflow_rerun_downstream.airflow3.web import menu

STATIC = Path(__file__).parents[2] / "static"
"""What ``make ui`` builds; a wheel has it."""

INDEX = "index.html"
ASSETS = "assets"
FOREVER = "public, max-age=31536000, immutable"
"""For files that have a digest of their content in their names."""

NONCE = "__CSP_NONCE__"
"""Where the document wants the nonce that lets its scripts add styles."""

RELATIVE = re.compile(r'\b(src|href)="\./')

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'nonce-{nonce}'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "frame-ancestors": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}

NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Rerun Downstream</title></head>
<body>
<p>The web pages of Rerun Downstream aren't built in this checkout: run <code>make ui</code>, then reload.</p>
</body>
</html>
"""

router = APIRouter(include_in_schema=False)


class Files:
    """The files of a build. A folder that isn't there is an empty one."""

    def __init__(self, folder: Path = STATIC) -> None:
        self.index = folder / INDEX
        self._folder = folder
        self._beside = StaticFiles(directory=folder, check_dir=False)
        self._assets = StaticFiles(directory=folder / ASSETS, check_dir=False)

    def has(self, name: str) -> bool:
        """Whether a file of this name stands beside the document."""
        return self._folder.is_dir() and name in {each.name for each in self._folder.iterdir() if each.is_file()}

    async def beside(self, name: str, request: Request) -> Response:
        """A file beside the document, such as an icon."""
        return served(await self._beside.get_response(name, request.scope), "no-cache")

    async def asset(self, name: str, request: Request) -> Response:
        """A file that the document refers to. Raises a 404."""
        return served(await self._assets.get_response(name, request.scope), FOREVER)


def served(found: Response, caching: str) -> Response:
    """A file's response with our headers."""
    found.headers.update({**SAFE, "Cache-Control": caching})
    return found


@router.api_route("/ui", methods=["GET", "HEAD"])
@router.api_route("/ui/{path:path}", methods=["GET", "HEAD"])
async def show(request: Request, path: str = "") -> Response:
    """A file, or else the document: it reads from its address what it has to show."""
    files: Files = request.app.state.files
    folder, _, name = path.partition("/")
    if folder == ASSETS:
        if "\x00" in name:  # of which an older Starlette makes an error of the server
            raise HTTPException(404)
        return await files.asset(name, request)
    if path != INDEX and await run_in_threadpool(files.has, path):
        return await files.beside(path, request)
    return await run_in_threadpool(document, files.index)


def document(index: Path) -> HTMLResponse:
    """The HTML document, or why there is none."""
    nonce = secrets.token_urlsafe(18)
    policy = "; ".join(f"{name} {sources}" for name, sources in POLICY.items()).format(nonce=nonce)
    headers = {**SAFE, "Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    try:
        text = index.read_text(encoding="utf-8")
    except FileNotFoundError:
        return HTMLResponse(NOT_BUILT, status_code=503, headers=headers)
    return HTMLResponse(at_home(text).replace(NONCE, nonce), headers=headers)


def at_home(text: str) -> str:
    """The document with its references made absolute: relative ones would depend on how deep its address is."""
    home = escape(menu.root() + menu.PAGES)
    return RELATIVE.sub(lambda found: f'{found[1]}="{home}', text)
