"""Local, and each pitfall of running processes that it is there to avoid."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusternas.core.command import Command, Effect, Output, Secret, text
from clusternas.core.errors import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Refused,
    ValidationError,
)
from clusternas.runners import helper
from clusternas.runners.helper import Helper
from clusternas.runners.local import Local


def sh(script: str, *arguments: str, timeout: float = 20.0, stdin: bytes = b"") -> Command[str]:
    return Command(("sh", "-c", script, "sh", *arguments), text, timeout=timeout, stdin=stdin)


def run(script: str, *arguments: str, timeout: float = 20.0, stdin: bytes = b"") -> Output:
    return Local().run(sh(script, *arguments, timeout=timeout, stdin=stdin)).output


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def gone(pid: int, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


class TestTerminalAndInput:
    def test_no_terminal(self) -> None:
        script = "for n in 0 1 2; do [ -t $n ] && echo $n; done; [ -c /dev/tty ] && : </dev/tty"
        output = Local().execute(sh(script))
        assert output.stdout == b""
        assert b"/dev/tty" in output.stderr

    def test_a_question_gets_no_answer(self) -> None:
        assert run("read answer || echo nobody").stdout == b"nobody\n"

    def test_input_arrives_whole(self) -> None:
        data = bytes(range(256)) * 20_000
        result = Local().run(Command(("cat",), text, stdin=data))
        assert result.output.stdout == data

    def test_input_nobody_reads(self) -> None:
        assert run("echo done", stdin=b"x" * 1_000_000).stdout == b"done\n"


class TestOutput:
    def test_five_megabytes_of_short_lines(self) -> None:
        expected = b"".join(b"line %d\n" % number for number in range(450_000))
        output = run("seq -f 'line %.0f' 0 449999")
        assert output.stdout == expected
        assert len(expected) > 5_000_000

    def test_bytes_as_they_are(self) -> None:
        assert run(r"printf '\377\000\r\n\r'").stdout == b"\xff\0\r\n\r"

    def test_streams_stay_apart(self) -> None:
        output = run("echo out; echo err >&2")
        assert (output.stdout, output.stderr) == (b"out\n", b"err\n")

    def test_a_daemon_does_not_hold_it(self) -> None:
        started = time.monotonic()
        output = run("sleep 60 & echo $!")
        assert time.monotonic() - started < 50
        os.kill(int(output.stdout), signal.SIGKILL)

    def test_order_of_both_streams_in_one_file(self) -> None:
        assert run("exec 2>&1; echo a; echo b >&2; echo c").stdout == b"a\nb\nc\n"


class TestTimeout:
    def test_what_was_printed_is_kept(self) -> None:
        started = time.monotonic()
        with pytest.raises(CommandTimeout) as caught:
            run("echo so far; echo and this >&2; sleep 60", timeout=0.3)
        assert time.monotonic() - started < 50
        assert caught.value.stdout == "so far\n"
        assert caught.value.stderr == "and this\n"
        assert isinstance(caught.value, TimeoutError)
        assert "0.3 s" in caught.value.message

    def test_grandchildren_are_killed(self) -> None:
        with pytest.raises(CommandTimeout) as caught:
            run("sh -c 'sleep 30 & echo $!; wait' & wait", timeout=0.5)
        assert gone(int(caught.value.stdout))

    def test_it_may_clean_up(self, tmp_path: Path) -> None:
        with pytest.raises(CommandTimeout):
            run("trap 'echo bye >$1; exit' TERM; sleep 30 & wait", f"{tmp_path}/said", timeout=0.5)
        assert (tmp_path / "said").read_text() == "bye\n"

    def test_it_cannot_refuse(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("clusternas.runners.local.GRACE", 0.2)
        with pytest.raises(CommandTimeout) as caught:
            run("trap '' TERM; echo $$; while :; do sleep 1; done", timeout=0.4)
        assert gone(int(caught.value.stdout))

    def test_interrupt_kills_it_too(self) -> None:
        script = (
            "from clusternas.runners.local import Local\n"
            "from clusternas.core.command import Command, text\n"
            f"Local().run(Command(('sleep', '33.{os.getpid()}'), text))\n"
        )
        process = subprocess.Popen(
            python(script),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            # A job in the background of a script is born to ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        pid = self.find(f"33.{os.getpid()}")
        time.sleep(1)  # until it does nothing but wait
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
        assert b"KeyboardInterrupt" in stderr
        assert gone(pid)

    def find(self, argument: str) -> int:
        for _ in range(500):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[1:2] == [argument.encode()]:
                    return int(folder.name)
            time.sleep(0.02)
        raise AssertionError("it never started")


class TestArguments:
    @pytest.mark.parametrize("argument", [None, False, True, 1, b"x", ["x"], "\0", "\ud800"])
    def test_only_strings(self, argument: object) -> None:
        with pytest.raises(ValidationError):
            Command(("echo", argument), text)  # type: ignore[arg-type]

    def test_they_arrive_as_they_are(self) -> None:
        arguments = ["", " ", "a'b\"c", "$(id)", "*", "a\nb", "ü", "\udcffx", "--", "-n", "-"]
        value = Local().run(Command(("printf", r"%s\0", *arguments), text)).value
        assert value.split("\0")[:-1] == arguments

    def test_a_long_list(self) -> None:
        assert run("echo $#", *["x" * 1000] * 500).stdout == b"500\n"

    def test_too_long(self) -> None:
        with pytest.raises(CommandFailed, match=r"could not be run: .*too long"):
            run("echo $#", "x" * 200_000)

    def test_a_tool_with_an_odd_path(self, tmp_path: Path) -> None:
        tool = tmp_path / "outil déjà vu"
        tool.write_text("#!/bin/sh\necho ran\n")
        tool.chmod(0o755)
        assert Local().run(Command((str(tool),), text)).value == "ran\n"


class TestEnvironment:
    def environment(self, local: Local, command: Command[str]) -> dict[str, str]:
        lines = local.run(command).value.split("\0")[:-1]
        return dict(line.split("=", 1) for line in lines)

    def test_it_is_clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANG", "de_DE.UTF-8")
        monkeypatch.setenv("LC_MESSAGES", "de_DE.UTF-8")
        monkeypatch.setenv("DRBD_SECRET", "x")
        monkeypatch.setenv("HOME", "/home/ü")
        found = self.environment(Local(), Command(("env", "-0"), text))
        assert found["LC_ALL"] == "C"
        assert found["HOME"] == "/home/ü"
        assert set(found) <= {"PATH", "LC_ALL", "HOME", "USER", "LOGNAME"}

    def test_root_s_tools_are_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        path = self.environment(Local(), Command(("env", "-0"), text))["PATH"].split(":")
        assert path[:2] == ["/usr/bin", "/bin"]
        assert {"/usr/sbin", "/sbin", "/usr/local/sbin"} <= {*path}

    def test_more_variables(self) -> None:
        local = Local(env={"A": "1", "B": "1"})
        found = self.environment(local, Command(("env", "-0"), text, env=(("B", "2 \udcff"),)))
        assert (found["A"], found["B"]) == ("1", "2 \udcff")

    def test_the_directory_is_the_callers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("true")
        monkeypatch.chdir(tmp_path)
        assert run("pwd").stdout == f"{tmp_path}\n".encode()

    def test_signals_have_their_default(self) -> None:
        ignored = run("grep SigIgn /proc/self/status").stdout.split()[1]
        assert int(ignored, 16) & 0x7FFFFFFF == 0


class TestJudgement:
    def test_exit_code(self) -> None:
        with pytest.raises(CommandFailed) as caught:
            run("echo why >&2; exit 3")
        assert (caught.value.exit_code, caught.value.stderr) == (3, "why\n")

    def test_other_codes_may_be_fine(self) -> None:
        command = Command(("sh", "-c", "exit 5"), text, ok={0, 5})
        assert Local().run(command).output.exit_code == 5

    def test_killed_by_a_signal(self) -> None:
        with pytest.raises(CommandFailed, match="killed by signal 9") as caught:
            run("kill -9 $$")
        assert caught.value.exit_code == -9

    def test_no_such_tool(self) -> None:
        with pytest.raises(CommandNotFound, match="no-such-tool is not installed") as caught:
            Local(name="nas01").run(Command(("no-such-tool", "-h"), text))
        assert caught.value.node == "nas01"
        assert "/usr/sbin" in caught.value.hint

    def test_nothing_to_run_it_with(self, tmp_path: Path) -> None:
        tool = tmp_path / "tool"
        tool.write_text("#!/no/such/interpreter\n")
        tool.chmod(0o755)
        with pytest.raises(CommandFailed, match=r"could not be run: .*No such file"):
            Local().run(Command((str(tool),), text))

    def test_nothing_destroys_without_consent(self, tmp_path: Path) -> None:
        victim = tmp_path / "data"
        victim.write_text("precious")
        command = Command(("rm", str(victim)), text, effect=Effect.DESTROY, name="rm data")
        with pytest.raises(Refused, match="rm data"):
            Local().run(command)
        assert victim.exists()
        Local().run(command.allow(["rm data"]))
        assert not victim.exists()

    def test_result(self) -> None:
        result = Local(name="nas01").run(sh("echo hello"))
        assert (result.value, result.node) == ("hello\n", "nas01")
        assert 0 < result.duration < 10


class TestLog:
    def test_one_line_a_command(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG, "clusternas.runners"):
            Local(name="nas01").run(Command(("echo", "a b"), text))
        (record,) = caplog.records
        assert record.getMessage().startswith("nas01: echo 'a b': exit code 0 in ")
        assert record.levelno == logging.DEBUG
        assert record.__dict__["node"] == "nas01"

    @pytest.mark.parametrize("script", ["echo $1", "echo $1; exit 1", "echo $1; sleep 9"])
    def test_no_logger_ever_sees_a_secret(
        self, caplog: pytest.LogCaptureFixture, script: str
    ) -> None:
        command = Command(
            ("sh", "-c", script, "sh", "it's-s3cret"),
            text,
            secrets=(Secret("it's-s3cret"),),
            timeout=0.5,
        )
        shown = repr(command)
        with caplog.at_level(logging.DEBUG):
            try:
                shown += repr(Local().run(command).command)
            except (CommandFailed, CommandTimeout) as error:
                shown += f"{error}{error!r}{error.stdout}"
        assert caplog.records
        assert "s3cret" not in caplog.text
        assert "s3cret" not in shown

    def test_importing_configures_nothing(self) -> None:
        script = (
            "import logging, clusternas.runners.local\n"
            "assert not logging.getLogger().handlers\n"
            "assert logging.getLogger('clusternas.runners').level == logging.NOTSET\n"
        )
        subprocess.run(python(script), check=True)


class TestHelper:
    def test_sh_is_never_imported_here(self) -> None:
        script = (
            "import sys\n"
            "from clusternas.runners.local import Local\n"
            "from clusternas.core.command import Command, text\n"
            "assert 'clusternas.runners.helper' not in sys.modules\n"
            "assert Local().run(Command(('echo', 'a'), text)).value == 'a\\n'\n"
            "assert 'sh' not in sys.modules\n"
        )
        subprocess.run(python(script), check=True)

    def test_it_ends_with_this_process(self) -> None:
        script = (
            "from clusternas.runners.local import Local\n"
            "from clusternas.core.command import Command, text\n"
            "print(Local().run(Command(('sh', '-c', 'echo $PPID'), text)).value)\n"
        )
        done = subprocess.run(python(script), check=True, capture_output=True)
        assert gone(int(done.stdout))

    def test_it_is_small(self) -> None:
        pid = int(run("echo $PPID").stdout)
        status = Path(f"/proc/{pid}/status").read_text()
        (kilobytes,) = (line.split()[1] for line in status.splitlines() if line[:5] == "VmRSS")
        assert int(kilobytes) < 60_000

    def test_it_is_made_again_when_it_dies(self) -> None:
        first = int(run("echo $PPID").stdout)
        os.kill(first, signal.SIGKILL)
        self.wait_for_its_end()
        assert int(run("echo $PPID").stdout) != first

    def test_it_dies_while_a_command_runs(self) -> None:
        with pytest.raises(CommandFailed, match="the helper process ended"):
            run("kill -9 $PPID; sleep 1")
        self.wait_for_its_end()

    def wait_for_its_end(self) -> None:
        while Helper._shared and Helper._shared.usable:
            time.sleep(0.01)

    def test_it_never_keeps_rights_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = run("echo $PPID").stdout
        monkeypatch.setattr(helper, "_identity", lambda: (12345, 12345))
        second = run("echo $PPID").stdout
        assert second != first
        assert run("echo $PPID").stdout == second

    def test_it_keeps_no_directory_busy(self) -> None:
        pid = int(run("echo $PPID").stdout)
        assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")

    def test_no_python_to_run_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Helper, "_shared", None)
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        with pytest.raises(CommandFailed, match=r"could not be run: no helper process: .*No such"):
            run("true")

    def test_a_forked_process_can_use_it(self) -> None:
        run("true")
        pid = os.fork()
        if not pid:
            os._exit(0 if run("echo child").stdout == b"child\n" else 1)
        assert run("echo parent").stdout == b"parent\n"
        assert os.waitpid(pid, 0)[1] == 0

    def test_no_descriptor_is_left_open(self) -> None:
        run("true")
        before = len([*Path("/proc/self/fd").iterdir()])
        for _ in range(5):
            run("true")
            with pytest.raises(CommandFailed):
                run("exit 1", "x")
        assert len([*Path("/proc/self/fd").iterdir()]) == before

        def inside() -> int:
            return int(run("ls /proc/$PPID/fd | wc -l").stdout)

        first = inside()
        for _ in range(5):
            run("true")
        # The helper closes those of a command a moment after it said how the command ended.
        assert any(inside() <= first for _ in range(100))

    def test_no_descriptor_is_inherited(self) -> None:
        assert run("ls /proc/$$/fd").stdout.split() == [b"0", b"1", b"2"]


class TestAtOnce:
    def test_threads(self) -> None:
        def ask(number: int) -> bytes:
            return run(f"sleep 0.3; echo {number}").stdout

        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(ask, range(32))) == [b"%d\n" % number for number in range(32)]

    def test_inside_an_event_loop(self) -> None:
        async def both() -> list[bytes]:
            outputs = await asyncio.gather(*(asyncio.to_thread(run, "echo a") for _ in range(2)))
            return [*(output.stdout for output in outputs), run("echo b").stdout]

        assert asyncio.run(both()) == [b"a\n", b"a\n", b"b\n"]

    def test_the_first_ones_share_a_helper(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Helper, "_shared", None)
        barrier = threading.Barrier(4)

        def ask(_: int) -> bytes:
            barrier.wait()
            return run("echo $PPID").stdout

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ask, range(4)))) == 1
        Helper.shared().close()
