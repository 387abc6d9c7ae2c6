"""Run commands on this machine. The only module that imports sh."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import attrs

from clusternas.core.command import Command, Output, Result
from clusternas.core.errors import CommandError, CommandFailed
from clusternas.runners.base import perform, too_late, unknown_tool

if TYPE_CHECKING:
    import sh

    from clusternas.runners.helper import Job, Request

__all__ = ["Local", "spawn"]

T = TypeVar("T")

SBIN = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
KEPT = ("HOME", "LOGNAME", "USER")
ANY_CODE = list(range(-64, 256))  # signals and exit codes
GRACE = 2.0  # seconds between asking a command to end and killing it


@attrs.frozen(kw_only=True)
class Local:
    """This machine.

    A command gets a clean environment (`PATH`, `HOME`, `USER`, `LOGNAME`, `LC_ALL=C` and its own
    variables), no terminal, an input of its own, and a session of its own. When it does not end in
    time, it is killed with all that it started, and the error has what it printed until then.

    Attributes:
        path: where tools are looked for; by default `PATH` and the directories for root's tools.
        env: more environment variables.
        name: the node's name in results, empty for this machine.

    Example:
        >>> from clusternas.core.command import Command, Effect, text
        >>> Local().run(Command(("echo", "hello"), text, effect=Effect.READ)).value
        'hello\\n'
    """

    path: str = ""
    env: Mapping[str, str] = attrs.field(factory=dict)
    name: str = ""

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it.

        Raises:
            Refused: it destroys data and nobody allowed it by name.
            CommandNotFound: there is no such tool.
            CommandTimeout: it did not end in time and was killed.
            CommandFailed: its exit code is not one of `ok`.
        """
        return perform(command, self.execute, self.name)

    def execute(self, command: Command[object]) -> Output:
        """Run it and judge nothing: for runners that reach other machines through this one."""
        from clusternas.runners.helper import Helper, HelperError

        request = self._request(command)
        with _input(command.stdin) as stdin, _scratch() as stdout, _scratch() as stderr:
            try:
                job = Helper.shared().start(request, (stdin, stdout, stderr))
                code = _wait(job, command.timeout)
            except HelperError as error:
                raise self._not_run(command, str(error)) from None
            except TimeoutError:
                printed = Output(-signal.SIGKILL, _written(stdout), _written(stderr))
                raise too_late(command, printed, self.name) from None
            return Output(code, _written(stdout), _written(stderr))

    def _request(self, command: Command[object]) -> Request:
        path = self.path or f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
        tool = shutil.which(command.argv[0], path=path)
        if tool is None:
            hint = "" if os.sep in command.argv[0] else f"looked in {path}"
            raise unknown_tool(command, self.name, hint)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        env = {**kept, "PATH": path, "LC_ALL": "C", **self.env, **dict(command.env)}
        return {"argv": (tool, *command.argv[1:]), "env": env, "cwd": str(Path.cwd())}

    def _not_run(self, command: Command[object], why: str) -> CommandError:
        # sh hands on the traceback of its child; its last line is the error.
        lines = why.strip().splitlines()
        message = f"{command.argv[0]} could not be run: {lines[-1] if lines else 'no reason'}"
        return command.error(CommandFailed, message, node=self.name)


def spawn(request: Request, files: Sequence[BinaryIO]) -> sh.RunningCommand:
    """Start a command through sh. Runs in the helper process only.

    Args:
        request: what to run.
        files: for its standard input, output and error.
    """
    import sh

    codecs.register(_lossless)
    tool, *arguments = request["argv"]
    stdin, stdout, stderr = files
    return sh.Command(tool)(
        *arguments,
        _in=stdin,
        _out=stdout,  # real files: through pipes sh is slow, and can lose output
        _err=stderr,
        _tty_out=False,
        _new_session=True,  # so that all it starts can be killed with it
        _env=dict(request["env"]),
        _cwd=request["cwd"],
        _encoding="lossless",
        _ok_code=ANY_CODE,  # judged by the command itself
        _bg=True,
        _bg_exc=False,
        _return_cmd=True,
        _preexec_fn=_default_signals,
    )


def _lossless(name: str) -> codecs.CodecInfo | None:
    """UTF-8 that keeps other bytes as surrogates: sh knows encodings, but not error handlers."""
    if name != "lossless":
        return None
    utf8 = codecs.lookup("utf-8")
    return codecs.CodecInfo(
        lambda text, _errors="": utf8.encode(text, "surrogateescape"),
        lambda data, _errors="": utf8.decode(data, "surrogateescape"),
    )


def _default_signals() -> None:
    # Python ignores SIGXFSZ, and sh SIGHUP for what it runs in the background.
    for number in (signal.SIGHUP, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def _wait(job: Job, timeout: float) -> int:
    try:
        return job.wait(timeout)
    except BaseException:
        # Also for ctrl-C. What hangs in the kernel cannot be killed: then it is left alone.
        for number in (signal.SIGTERM, signal.SIGKILL):
            job.signal(number)
            _await_end(job)
        raise
    finally:
        job.close()


def _await_end(job: Job) -> None:
    from clusternas.runners.helper import HelperError

    with contextlib.suppress(TimeoutError, HelperError):
        job.wait(GRACE)


def _input(data: bytes) -> BinaryIO:
    if not data:
        return Path(os.devnull).open("r+b", buffering=0)
    # In memory where that is possible: the input may be a secret.
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("stdin"), "r+b") if in_memory else _scratch()
    file.write(data)
    file.seek(0)
    return file


def _scratch() -> BinaryIO:
    return tempfile.TemporaryFile("w+b", buffering=0)


def _written(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
