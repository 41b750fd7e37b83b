"""The command `ace`: thin over the use cases. A command's module is loaded when the command is called."""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {
    "serve": "entrypoints.cli.serve:serve",
    "worker": "entrypoints.cli.serve:worker",
    "migrate": "entrypoints.cli.migrate:migrate",
    "user": "entrypoints.cli.user:user",
    "import": "entrypoints.cli.imports:import_",
    "exam": "entrypoints.cli.exam:exam",
    "export": "entrypoints.cli.exports:export",
    "demo": "entrypoints.cli.demo:demo",
    "openapi": "entrypoints.cli.documents:openapi",
    "errors": "entrypoints.cli.documents:errors",
    "doctor": "entrypoints.cli.doctor:doctor",
}


class _Commands(click.Group):
    """Loads a command when it is called, so that `ace import` does not pay for the web framework."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ace", prog_name="ace")
def main() -> None:
    """Ace: an exam-preparation platform that you run yourself.

    Settings come from the environment (ACE_…, DATABASE_URL) or a JSON file (ACE_CONFIG_FILE). Without DATABASE_URL
    a PostgreSQL in .data is used. Exit codes: 0 done, 1 refused (with the code of the refusal), 2 wrong usage.
    """
