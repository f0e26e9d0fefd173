"""A group of commands that are imported when called, so that ``rasd read`` does not wait for a browser's library."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import click


class Lazily(click.Group):
    """``where``: each command's name and where it is, as ``module:attribute``, in the order of the help. ``ready`` is called once
    with each that is got, and its name, before it is used."""

    def __init__(
        self,
        *arguments: Any,
        where: Mapping[str, str],
        ready: Callable[[str, click.Command], None] = lambda name, command: None,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self.where, self.ready = where, ready

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.where)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in self.where and name not in self.commands:
            module, attribute = self.where[name].split(":")
            self.commands[name] = getattr(importlib.import_module(module), attribute)
            self.ready(name, self.commands[name])
        return self.commands.get(name)
