"""The command `wtp`. Exit status 0; 1 = wrong input, said in one clear line; 2 = wrong usage."""

from __future__ import annotations

import gc
import pkgutil
import sys
from typing import Any

import click

from wtp import __version__
from wtp.errors import WtpError

# Where each command is: imported when it is asked for, since most need a small part of the program.
_COMMANDS = {
    "check": "studies:check",
    "design": "studies:design",
    "plan": "plan:plan",
    "simulate": "studies:simulate",
    "analyse": "results:analyse",
    "quality": "quality:quality",
    "estimate": "estimate:estimate",
    "export": "results:export",
    "import": "imports:import_",
    "demo": "demo:demo",
    "serve": "operate:serve",
    "doctor": "doctor:doctor",
    "deploy": "deploy:deploy",
    "user": "users:user",
    "token": "tokens:token",
    "panel": "panels:panel",
    "migrate": "databases:migrate",
    "backup": "databases:backup",
    "restore": "databases:restore",
    "move": "databases:move",
    "erase": "privacy:erase",
    "access": "privacy:access_",
    "retention": "privacy:retention_",
    "privacy": "privacy:privacy",
}


class _Group(click.Group):
    """Imports a command when it is asked for, and turns an error that a person can mend into its message and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        gc.disable()  # modules stay: looking through thousands of them for garbage was a fifth of the time to start
        try:
            found: click.Command = pkgutil.resolve_name(f"wtp.cli.{_COMMANDS[cmd_name]}")
        finally:
            gc.enable()
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WtpError as error:
            click.echo(f"wtp: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__)
def main() -> None:
    """Ask customers what they value and would pay; learn where to invest, where to save and up to which price."""
