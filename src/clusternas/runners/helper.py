"""A small process that starts commands for this one.

sh forks, and a fork costs what the process weighs: 28 times as much at 500 MB as at 20 MB. It also
must not happen in a process that runs threads, toggles the garbage collector, and logs whole
command lines. So all that happens in a process of its own: made once, when the first command
runs, and ended with this process.

Per command the two talk over a socket pair of its own: a request goes there, and the process id
and the exit code come back, one JSON object a line. The files for input and output are opened
here and handed over as descriptors, so this process keeps what was printed, whatever happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import BinaryIO, TypedDict

__all__ = ["Helper", "HelperError", "Job", "Request", "serve"]

ENDED = "the helper process ended"
START = (
    "import sys; sys.path[:] = sys.argv[1:]; from clusternas.runners.helper import serve; serve()"
)


class HelperError(Exception):
    """The helper could not start a command; the message says why."""


class Request(TypedDict):
    """What to run: a program by its path, everything else as `execve` takes it."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str


class Helper:
    """The process, seen from here. `shared` gives the one of this process."""

    _shared: Helper | None = None
    _making = threading.Lock()

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._identity = _identity()
        with theirs:
            try:
                self._pid = _start(theirs.fileno())
            except OSError as error:
                self._socket.close()
                raise HelperError(f"no helper process: {error}") from None

    @classmethod
    def shared(cls) -> Helper:
        """The helper of this process; made when first asked for, and again when it died.

        Raises:
            HelperError: there is none, and none could be made.
        """
        with cls._making:
            if cls._shared is None or not cls._shared.usable:
                if cls._shared is not None:
                    cls._shared.close()
                cls._shared = cls()
            return cls._shared

    @property
    def usable(self) -> bool:
        """Whether it lives, and runs as who this process is now."""
        if self._identity != _identity() or self._socket.fileno() < 0:
            return False
        # It never says anything on this socket: there is only silence, or the end.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def start(self, request: Request, files: Sequence[BinaryIO]) -> Job:
        """Start a command.

        Args:
            request: what to run.
            files: for its standard input, output and error.

        Raises:
            HelperError: it could not be started.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                numbers = [theirs.fileno(), *(file.fileno() for file in files)]
                socket.send_fds(self._socket, [b"+"], numbers)
            ours.sendall(json.dumps(request).encode() + b"\n")
            return Job(ours)
        except ConnectionError:
            ours.close()
            raise HelperError(ENDED) from None
        except BaseException:
            ours.close()
            raise

    def close(self) -> None:
        """Let it end; commands that run go on."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):  # in a fork it is the child of another
            os.waitpid(self._pid, os.WNOHANG)


class Job:
    """A command that runs."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""
        self._pid: int | None = None

    def wait(self, timeout: float) -> int:
        """Its exit code, negative for a signal.

        Raises:
            TimeoutError: it did not end within that many seconds.
            HelperError: it could not be started, or nobody knows how it ended.
        """
        self._socket.settimeout(timeout)
        self._learn_pid()
        return self._answer("exit")

    def signal(self, number: int) -> None:
        """Send a signal to it and to all that it started; gone or not ours is fine."""
        with contextlib.suppress(OSError, HelperError):
            self._socket.settimeout(1.0)
            os.killpg(self._learn_pid(), number)

    def close(self) -> None:
        """Stop listening to it."""
        self._socket.close()

    def _learn_pid(self) -> int:
        if self._pid is None:
            self._pid = self._answer("pid")
        return self._pid

    def _answer(self, key: str) -> int:
        # Not by makefile(): after a timeout it would never read again.
        while b"\n" not in self._received:
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise HelperError(ENDED)
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        answer = json.loads(line)
        if key not in answer:
            raise HelperError(answer["error"])
        return int(answer[key])


def _identity() -> tuple[int, int]:
    return os.geteuid(), os.getegid()


def _start(number: int) -> int:
    """Start the process with that descriptor as its standard input; its process id."""
    actions = [
        (os.POSIX_SPAWN_DUP2, number, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # A process group of its own: ctrl-C is for this process, which then ends what it started.
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", START, *map(os.path.abspath, sys.path)],
        os.environ,
        file_actions=actions,
        setpgroup=0,
    )


def serve() -> None:
    """Start commands until the other side ends: what runs in the helper process."""
    os.chdir("/")  # it must not keep a file system busy
    main = socket.socket(fileno=0)
    main.setblocking(True)  # gevent, over there, makes sockets that do not
    while True:
        message, numbers, _, _ = socket.recv_fds(main, 1, 4)
        if not message:
            os._exit(0)  # at once: threads may wait for commands that go on
        threading.Thread(target=_serve_one, args=numbers, daemon=True).start()


def _serve_one(connection: int, *numbers: int) -> None:
    from clusternas.runners.local import spawn

    def tell(**answer: object) -> None:
        # Nobody may listen any more: a command that outlived its timeout.
        with contextlib.suppress(OSError):
            talk.sendall(json.dumps(answer).encode() + b"\n")

    with contextlib.ExitStack() as stack:
        talk = stack.enter_context(socket.socket(fileno=connection))
        talk.setblocking(True)
        files = [stack.enter_context(os.fdopen(number, "r+b", buffering=0)) for number in numbers]
        with talk.makefile("rb") as lines:
            request: Request = json.loads(lines.readline())
        try:
            running = spawn(request, files)
        except Exception as error:
            tell(error=str(error))
            return
        tell(pid=running.pid)
        tell(exit=running.wait().exit_code)
