"""The command `wtp`. Exit status 0; 1 = wrong input, said in one clear line; 2 = wrong usage."""

from __future__ import annotations

import sys
from typing import Any

import click

from wtp import __version__
from wtp.cli.databases import backup, migrate, move, restore
from wtp.cli.demo import demo
from wtp.cli.deploy import deploy
from wtp.cli.doctor import doctor
from wtp.cli.estimate import estimate
from wtp.cli.imports import import_
from wtp.cli.operate import serve
from wtp.cli.panels import panel
from wtp.cli.plan import plan
from wtp.cli.privacy import access_, erase, privacy, retention_
from wtp.cli.quality import quality
from wtp.cli.results import analyse, export
from wtp.cli.studies import check, design, simulate
from wtp.cli.tokens import token
from wtp.cli.users import user
from wtp.errors import WtpError


class _Group(click.Group):
    """Turns an error that a person can mend into its message and exit status 1."""

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


for command in (
    *(
        check,
        design,
        plan,
        simulate,
        analyse,
        quality,
        estimate,
        export,
        import_,
        demo,
        serve,
        doctor,
        deploy,
        user,
        token,
        panel,
    ),
    *(migrate, backup, restore, move),
    *(erase, access_, retention_, privacy),
):
    main.add_command(command)
