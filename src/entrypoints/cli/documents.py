"""`ace openapi` and `ace errors`: the documents that are made from the code."""

from __future__ import annotations

from pathlib import Path

import click

from entrypoints.container import Container
from entrypoints.settings import Settings


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the terminal.")
def openapi(output: Path | None) -> None:
    """Print the OpenAPI document of the HTTP API."""
    from entrypoints.http.app import create_app  # the web framework is loaded only here
    from entrypoints.http.openapi import render_openapi

    container = Container(settings=Settings(secret_keys=("signs-nothing: no request is served with it",)))
    _write(render_openapi(create_app(container)), output)


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the terminal.")
def errors(output: Path | None) -> None:
    """Print the catalogue of error codes."""
    from entrypoints.http.error_catalogue import render_error_catalogue

    _write(render_error_catalogue().encode(), output)


def _write(document: bytes, output: Path | None) -> None:
    if output is None:
        click.echo(document, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(document)
