"""`airflow-rerun-downstream-mcp`: serve agents over stdio, or over HTTP on this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, ClientError

EPILOG = """\
Which Airflow, and as whom, say the environment variables AIRFLOW_RERUN_DOWNSTREAM_URL and _TOKEN, or _USERNAME and
_PASSWORD. Over HTTP there is no login: whoever reaches the port on this machine acts as that user.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    found = argparse.ArgumentParser(
        prog="airflow-rerun-downstream-mcp", description=__doc__.partition(": ")[2].capitalize(), epilog=EPILOG
    )
    found.add_argument("--http", action="store_true", help="serve streamable HTTP at http://127.0.0.1:PORT/mcp")
    found.add_argument("--port", type=int, default=8765, help="with --http; %(default)s by default")
    return found


def main(argv: list[str] | None = None) -> int:
    """Serve until the client hangs up, or Ctrl-C."""
    args = parser().parse_args(argv)
    try:
        from airflow_rerun_downstream.agents.agent_server import agent_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "mcp":
            raise
        print("The MCP SDK isn't installed: pip install 'airflow-rerun-downstream[mcp]'", file=sys.stderr)
        return 1
    try:
        client = AsyncRerunDownstreamClient.from_env()
    except ClientError as error:
        print(error, file=sys.stderr)
        return 1

    async def serve() -> None:
        async with client:
            server = agent_server(client)
            if args.http:
                await server.run_streamable_http_async(host="127.0.0.1", port=args.port)
            else:
                await server.run_stdio_async()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
