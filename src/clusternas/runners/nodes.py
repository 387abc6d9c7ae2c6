"""Many machines at once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar, Unpack

import attrs

from clusternas.core.command import Command, Result, Runner
from clusternas.core.errors import CommandError, NodesError
from clusternas.runners.local import Local
from clusternas.runners.ssh import Ssh, SshOptions

__all__ = ["Nodes", "Results", "fold"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Results(Mapping[str, Result[T_co] | CommandError], Generic[T_co]):
    """What each node answered: a `Result`, or the error that came instead.

    Printed, nodes that said the same stand together:

    ```
    nas[01-02]: UpToDate/UpToDate
    nas03: Unreachable: could not be reached: No route to host
    ```
    """

    def __init__(self, answers: Mapping[str, Result[T_co] | CommandError]) -> None:
        self._answers = dict(answers)

    def __getitem__(self, name: str, /) -> Result[T_co] | CommandError:
        return self._answers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def good(self) -> dict[str, Result[T_co]]:
        """The results of the nodes where it worked."""
        return {name: each for name, each in self.items() if isinstance(each, Result)}

    @property
    def failed(self) -> dict[str, CommandError]:
        """The errors of the nodes where it did not."""
        return {name: each for name, each in self.items() if isinstance(each, CommandError)}

    @property
    def value(self) -> dict[str, T_co]:
        """The typed value of every node.

        Raises:
            NodesError: some nodes failed; `good` has the others.
        """
        self.raise_for_errors()
        return {name: result.value for name, result in self.good.items()}

    def raise_for_errors(self) -> None:
        """Raise `NodesError` if a node failed; it keeps what the others answered."""
        failed = self.failed
        if failed:
            message = f"{len(failed)} of {len(self)} nodes failed: {fold(failed)}"
            raise NodesError(message, list(failed.values()), self.good)

    def folded(self) -> dict[str, str]:
        """What was said, by the nodes that said it: `nas[01-02]` and the text."""
        said: dict[str, list[str]] = {}
        for name, answer in self.items():
            said.setdefault(_said(answer), []).append(name)
        return {fold(names): text for text, names in said.items()}

    def to_records(self) -> list[dict[str, object]]:
        """Each answer as plain data; a data frame takes the list as it is."""
        return [{"node": name, **_record(answer)} for name, answer in self.items()]

    def __str__(self) -> str:
        rows = []
        for names, said in self.folded().items():
            lines = said.splitlines()
            rows += [f"{names}: {said}"] if len(lines) == 1 else [f"{names}:"]
            rows += [f"  {line}" for line in lines] if len(lines) > 1 else []
        return "\n".join(rows)

    def __repr__(self) -> str:
        return f"Results({len(self.good)} good, {len(self.failed)} failed)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(names)}</th>"
            f"<td style='text-align:left'><pre>{html.escape(said)}</pre></td></tr>"
            for names, said in self.folded().items()
        )
        return f"<table>{rows}</table>"


class Nodes(Mapping[str, Runner]):
    """Machines by name; what is run here runs on all of them at once.

    Args:
        runners: how to reach each; any object with the one method of `Runner` will do.
        workers: how many commands run at once.

    Example:
        >>> from clusternas.core.command import Effect, text
        >>> nodes = Nodes({"nas01": Local(), "nas02": Local()})
        >>> print(nodes.run(Command(("echo", "hello"), text, effect=Effect.READ)))
        nas[01-02]: hello
    """

    def __init__(self, runners: Mapping[str, Runner], *, workers: int = 64) -> None:
        self._runners = dict(runners)
        self.workers = workers

    @classmethod
    def ssh(cls, *hosts: str, **options: Unpack[SshOptions]) -> Nodes:
        """Machines reached by ssh, each by its host name.

        Args:
            hosts: names, addresses, or aliases of your ssh configuration.
            options: as for `Ssh`, the same for all.
        """
        return cls({host: Ssh(host, **options) for host in hosts})

    @classmethod
    def local(cls, name: str = "localhost") -> Nodes:
        """This machine as the only node."""
        return cls({name: Local()})

    @classmethod
    def clustershell(cls, names: str, **options: Unpack[SshOptions]) -> Nodes:
        """A fleet, reached by ssh through ClusterShell (`pip install clusternas[clustershell]`).

        Args:
            names: node sets such as `nas[1-64]` or `@storage`, as clush(1) takes them.
            options: as for `Ssh`, the same for all.
        """
        from clusternas.runners.clustershell import Fleet

        return Fleet(names, **options)

    def __getitem__(self, name: str, /) -> Runner:
        return self._runners[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runners)

    def __len__(self) -> int:
        return len(self._runners)

    def __repr__(self) -> str:
        return f"Nodes({fold(self)})"

    def select(self, names: Iterable[str]) -> Nodes:
        """Only these nodes."""
        return Nodes({name: self[name] for name in names}, workers=self.workers)

    def run(self, command: Command[T]) -> Results[T]:
        """Run a command on every node; errors of nodes are among the results.

        Raises:
            Refused: it destroys data and nobody allowed it by name.
        """
        return self.run_each(dict.fromkeys(self, command))

    def run_each(self, commands: Mapping[str, Command[T]]) -> Results[T]:
        """Run a command of its own on each of these nodes.

        Raises:
            KeyError: there is no node of that name.
            Refused: one destroys data and nobody allowed it by name; then none has run.
        """
        runners = {name: self[name] for name in commands}
        for command in commands.values():
            command.require_allowed()
        if not commands:
            return Results({})
        with ThreadPoolExecutor(min(self.workers, len(commands)), "clusternas") as pool:
            running = {
                name: pool.submit(_run_one, name, runners[name], command)
                for name, command in commands.items()
            }
            try:
                return Results({name: each.result() for name, each in running.items()})
            except BaseException:
                # Also for ctrl-C: what runs is waited for, what has not begun never will.
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def fold(names: Iterable[str]) -> str:
    """Names in short, as ClusterShell folds them.

    Example:
        >>> fold(["nas01", "nas02", "nas03", "nas05", "gate"])
        'gate,nas[01-03,05]'
    """
    groups: dict[tuple[str, str], list[str]] = {}
    plain = []
    for name in names:
        if match := re.fullmatch(r"(\D*)(\d+)(.*)", name):
            head, number, tail = match.groups()
            groups.setdefault((head, tail), []).append(number)
        else:
            plain.append(name)
    folded = [f"{head}{_ranges(numbers)}{tail}" for (head, tail), numbers in groups.items()]
    return ",".join(sorted(plain + folded))


def _ranges(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return numbers[0]
    runs: list[list[str]] = []
    for number in sorted(set(numbers), key=lambda number: (int(number), len(number))):
        last = runs[-1][-1] if runs else ""
        if last and str(int(last) + 1).zfill(len(last)) == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"[{shown}]"


def _run_one(name: str, runner: Runner, command: Command[T]) -> Result[T] | CommandError:
    try:
        return attrs.evolve(runner.run(command), node=name)
    except CommandError as error:
        error.node = name
        return error


def _said(answer: Result[object] | CommandError) -> str:
    if isinstance(answer, CommandError):
        printed = (answer.stderr or answer.stdout).rstrip("\n")
        return "\n".join(filter(None, [f"{type(answer).__name__}: {answer.message}", printed]))
    output, mask = answer.output, answer.command.mask
    return mask(output.text + output.error_text).rstrip("\n") or "ok"


def _record(answer: Result[object] | CommandError) -> dict[str, object]:
    if isinstance(answer, CommandError):
        return {"ok": False, "error": answer.code, "message": answer.message}
    mask, output = answer.command.mask, answer.output
    said = {"stdout": mask(output.text), "stderr": mask(output.error_text)}
    return {"ok": True, "exit_code": output.exit_code, **said, "duration": answer.duration}
