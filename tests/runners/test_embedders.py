"""The runners of docs/running.md for Fabric, Ansible and pyinfra, inside those, over real ssh."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from .conftest import Server, free_port, missing
from .embedded import CASES, answers

pytestmark = pytest.mark.oracle

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
WRITE = "\n__import__('pathlib').Path('answers.json').write_text(__import__('json').dumps({}))\n"
ACTION = """
from embedded import answers

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        runner = AnsibleRunner(self, task_vars["inventory_hostname"])
"""
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - hello:
      register: hello
    - debug: {msg: "{{ hello.said }}"}
    - answers:
"""


def page(section: str) -> str:
    """The code of a section, after the example that all sections use."""
    text = PAGE.read_text()
    own = text.split(f"### {section}\n")[1].split("\n##")[0]
    return "\n".join([*blocks(text)[:1], *blocks(own)])


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@attrs.frozen
class Desk:
    """A folder to work in, which is the home of whoever does."""

    folder: Path
    config: Path

    def write(self, name: str, *parts: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(parts))

    def python(self, *args: str) -> str:
        """What Python printed, on both streams."""
        paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {**os.environ, "HOME": str(self.folder), "PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(
            [sys.executable, *args],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        return done.stdout.decode(errors="replace")

    def fabric(self, node: str) -> str:
        ask = f"answers(Fabric(Connection({node!r})))"
        code = page("Fabric").replace("nas01", node)
        self.write("ask.py", code, "from embedded import answers", WRITE.format(ask))
        return self.python("ask.py")

    def ansible(self, node: str) -> str:
        code = page("Ansible")
        write = WRITE.format("answers(runner)").strip()
        action = f"{ACTION}        {write}\n        return {{}}\n"
        self.write("action_plugins/hello.py", code)
        self.write("action_plugins/answers.py", code, action)
        self.write("play.yml", PLAYBOOK)
        self.write("hosts", f"{node} ansible_ssh_args='-F {self.config}'\n")
        return self.python("-m", "ansible", "playbook", "-i", "hosts", "play.yml")

    def pyinfra(self, node: str) -> str:
        write = WRITE.format("answers(Pyinfra(host))").strip()
        call = f"from embedded import answers\npython.call(function=lambda: {write})\n"
        again = "assert Local().run(hello).value"  # gevent has patched the sockets of its helper
        self.write("deploy.py", page("pyinfra"), again, call)
        return self.python("-m", "pyinfra", "-y", node, "deploy.py")


RUN: dict[str, Callable[[Desk, str], str]] = {
    "fabric": Desk.fabric,
    "ansible": Desk.ansible,
    "pyinfra": Desk.pyinfra,
}


@pytest.fixture
def desk(servers: tuple[Server, Server], tmp_path: Path) -> Desk:
    (tmp_path / ".ssh").mkdir()
    config = tmp_path / ".ssh" / "config"
    config.write_text(
        servers[0].config.read_text() + f"Host nas03\n  HostName 127.0.0.1\n  Port {free_port()}\n"
    )
    return Desk(tmp_path, config)


@pytest.fixture(scope="module")
def expected(servers: tuple[Server, Server]) -> dict[str, list[object]]:
    return answers(servers[0].ssh())


@pytest.fixture
def library(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if importlib.util.find_spec(name) is None:
        missing(f"{name} is not installed: pip install --group embedders")
    return name


@pytest.mark.parametrize("library", ["fabric", "ansible", "pyinfra"], indirect=True)
def test_it_answers_like_ssh(desk: Desk, expected: dict[str, list[object]], library: str) -> None:
    printed = RUN[library](desk, "nas01")
    assert re.search(r"^hello$|\"hello\\n\"", printed, re.MULTILINE)
    got = json.loads((desk.folder / "answers.json").read_text())
    if library != "ansible":  # these encode the line themselves, and strictly
        assert "UnicodeEncodeError" in str(got.pop("an argument that is not UTF-8"))
    assert got == {name: expected[name] for name in got}
    assert len(got) >= len(CASES) - 1


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("fabric", r"nas03: could not be reached: \[Errno None\] Unable to connect to port \d+"),
        ("ansible", r"nas03: could not be reached: .*Connection refused"),
        ("pyinfra", r"\[nas03\] Could not connect \(.*Unable to connect to port \d+"),
    ],
    indirect=["library"],
)
def test_a_node_that_is_down(desk: Desk, library: str, said: str) -> None:
    assert re.search(said, RUN[library](desk, "nas03"))
