"""Registers of a thread that does not run yet: a copy by name."""

from __future__ import annotations

from collections.abc import Mapping

from compat.cpu.machine import Machine

__all__ = ["SavedRegisters"]


class SavedRegisters:
    """A copy of a machine's registers; *tls* is the thread pointer to set when the thread first runs."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = values
        self.tls: int | None = None

    def has(self, name: str) -> bool:
        return name in self.values

    def read(self, name: str) -> int:
        return self.values[name]

    def write(self, name: str, value: int) -> None:
        self.values[name] = value

    def save(self) -> dict[str, int]:
        return dict(self.values)

    def restore(self, registers: Mapping[str, int]) -> None:
        self.values.update(registers)

    def snapshot(self) -> object:
        return dict(self.values)

    def resume(self, snapshot: dict[str, int]) -> None:
        self.values = dict(snapshot)

    def load(self, machine: Machine) -> None:
        """Make the machine continue with these registers."""
        machine.restore(self.values)
        if self.tls is not None:
            machine.set_tls(self.tls)
