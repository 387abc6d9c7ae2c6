"""smb.conf against Samba itself: python3-samba reads the same, testparm means the same."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusternas.core.codec import Codec
from clusternas.core.errors import CommandFailed
from clusternas.core.fields import Option
from clusternas.core.lens import lens_of
from clusternas.core.syntax import tini
from clusternas.core.syntax.ini import SMB_CONF
from clusternas.runners.local import Local
from clusternas.samba import commands
from clusternas.samba.model import SambaShare, SmbConf, SmbGlobal
from clusternas.samba.parameters import parameters
from clusternas.samba.values import AUTO, MODE, NUMBER, SWITCH, WORDS

Config = dict[str, dict[str, str]]

READER = """
import json, sys, tempfile
from samba import smbconf
for line in sys.stdin:
    with tempfile.NamedTemporaryFile() as file:
        file.write(json.loads(line).encode("utf-8", "surrogateescape"))
        file.flush()
        try:
            print(json.dumps(smbconf.init_txt(file.name).get_config()), flush=True)
        except Exception as error:
            print(json.dumps(str(error)), flush=True)
"""

PIECES = [
    "[global]\n", "[a b]\n", "[A  b] # c\n", "[c\\\n d]\n", "x = y\n", "X y = z \\\n",
    " # c\n", "; [d]\\\n", "\\\\\n", "\\ \r\n", "\n", "  \n", "n\n", "a = b ; c\n", "a=\n",
    "\tp = q\\\\\n", "f : m = 1\n", "é = ü\n", "a = b = c\n", "\v\f e = 1  2\t\t3\n",
    "\ufeff", "= v\n", " [\n",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)

BEFORE = "before any header"


@pytest.fixture(scope="module")
def reader(oracle) -> Iterator[Callable[[str], Config | str]]:
    """What Samba's reader makes of a text: sections with their parameters, or why it refuses it."""
    python = oracle("/usr/bin/python3", package="python3-samba")
    if subprocess.run([python, "-c", "import samba.smbconf"], capture_output=True).returncode:
        oracle("python3-samba", package="python3-samba")
    with subprocess.Popen(
        [python, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(text: str) -> Config | str:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(text) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if isinstance(answer, str):
                return answer
            return {name or BEFORE: dict(rows) for name, rows in answer}

        yield ask
        process.stdin.close()


def ours(text: str) -> Config | None:
    """The same from our tree; None where we say that Samba refuses the file."""
    tree = SMB_CONF.parse(text)
    if any(problem.fatal for problem in tree.check()):
        return None
    found: Config = {}
    names: dict[str, str] = {}
    for section in tree.root.children:
        headless = section.start == section.body
        title = BEFORE if headless else section.values[0] if section.values else "global"
        options = found.setdefault(names.setdefault(title.lower(), title), {})
        for option in section.children:
            spelled = SMB_CONF.spelling(option)
            same = next((name for name in options if name.lower() == spelled.lower()), spelled)
            options[same] = option.values[0]
    return found


def test_the_reader_of_samba_sees_what_we_see(reader) -> None:
    @settings(max_examples=400, deadline=None)
    @given(texts)
    def compare(text: str) -> None:
        theirs = reader(text)
        if isinstance(theirs, str):
            assert ours(text) is None
        else:
            assert ours(text) == theirs

    compare()


def run_testparm(oracle, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    tool = oracle("testparm", package="samba-common-bin")
    argv = [tool, "-s", "-l", *options, str(path)]
    return subprocess.run(argv, capture_output=True, text=True, errors="surrogateescape")


G = "[global]\n"
VERDICTS = {
    "unterminated": G + "workgroup = W\n[sh\npath = /tmp\n",
    "empty section": G + "[]\npath = /tmp\n",
    "empty name": G + " = x\n",
    "no equals": G + "workgroup\n",
    "bom": "\ufeff[global]\nworkgroup = B\n",
    "bad bool": "[s]\npath = /tmp\nread only = maybe\n",
    "bad bool, untyped": G + "wins support = maybe\n",
    "empty bool": "[s]\npath = /tmp\nread only =\n",
    "comment after bool": "[s]\npath = /tmp\noplocks = no # really\n",
    "bad enum": G + "security = foo\n",
    "bad role": G + "server role = bar\n",
    "role": G + "server role = Member Server\nrealm = A\n",
    "security of the past": G + "security = share\n",
    "enum with blanks": G + "map to guest = baduser\n",
    "bad enum, untyped": G + "ldap ssl = perhaps\n",
    "bad octal": "[s]\npath = /tmp\ncreate mask = 9\n",
    "bad bytes": G + "min receivefile size = 16Z\n",
    "bytes": G + "min receivefile size = 16k\n",
    "bad number": G + "deadtime = abc\n",
    "tristate": "[s]\npath = /tmp\nstrict locking = 1\n",
    "unknown": G + "frobnicate = 1\n",
    "copy of nothing": "[b]\ncopy = a\n[a]\npath = /a\n",
    "copy": "[a]\npath = /a\n[b]\ncopy = A\n",
    "global in share": "[s]\npath = /tmp\nworkgroup = x\n",
    "no path": "[s]\ncomment = x\n",
    "module option": "[s]\npath = /tmp\nfruit:metadata = anything\n",
}


@pytest.mark.parametrize("text", VERDICTS.values(), ids=VERDICTS.keys())
def test_our_errors_are_those_that_samba_refuses_the_file_for(
    oracle, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "smb.conf"
    path.write_text(text)
    refused = run_testparm(oracle, path).returncode != 0
    errors = [str(one) for one in SmbConf.parse(text).validate() if one.severity.value == "error"]
    assert bool(errors) == refused, errors


def test_our_table_of_parameters_is_that_of_samba(oracle) -> None:
    tool = oracle("testparm", package="samba-common-bin")
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    if not version.startswith("Version 4.17."):
        pytest.skip(f"the types in the table are those of 4.17, this is {version.strip()}")
    run = subprocess.run([tool, "--show-all-parameters"], capture_output=True, text=True)
    kinds = {"ustring": "string", "cmdlist": "list", "list": "list+", "boolrev": "bool"}
    scope = ""
    for line in run.stdout.splitlines():
        if line.startswith("["):
            scope = "S" if line == "[local]" else "G"
            continue
        row = re.fullmatch(r"(.+?)=P_(\w+),(.*?)(?:,?FLAG_\w+)*,?(?: \(.*\))?", line)
        assert row, line
        name, kind, values = row[1], row[2].lower(), row[3].rstrip(",")
        if name == "-valid":
            continue
        known = parameters()[SMB_CONF.fold(name)]
        assert (known.scope, known.kind) == (scope, kinds.get(kind, kind)), line
        assert "|".join(known.values) == (values if kind == "enum" else ""), line


def values_of(codec: Codec[object]) -> st.SearchStrategy[object]:
    words = st.text("abcXYZ/.:-@", min_size=1, max_size=8)
    if codec is SWITCH:
        return st.booleans()
    if codec is MODE:
        return st.integers(0, 0o7777)
    if codec is NUMBER:
        return st.integers(0, 2**20)
    if codec is WORDS:
        return st.lists(words, min_size=1, max_size=3, unique=True).map(tuple)
    if codec is AUTO:
        return st.sampled_from(["yes", "no", "auto"])
    if " | " in codec.expects:
        return st.sampled_from(codec.expects.split(" | "))
    return words


CANONICAL = {
    "log_level",
    "ntlm_auth",
    "security",
    "server_max_protocol",
    "server_min_protocol",
    "server_role",
    "smb_ports",
}
"""Words that testparm refuses or prints as others: each has its own tests."""
RUN_AT_ONCE = {"copy", "include", "config_file", "config_backend", "registry_shares", "clustering"}
"""What testparm acts on instead of printing it."""


def models(model: type[SmbGlobal] | type[SambaShare]) -> st.SearchStrategy[dict[str, object]]:
    fields = {
        name: values_of(meta.codec)
        for name, meta in lens_of(model).fields.items()
        if isinstance(meta, Option) and not meta.many and name not in CANONICAL | RUN_AT_ONCE
    }
    names = st.lists(st.sampled_from(sorted(fields)), max_size=8, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen})
    )


def test_samba_reads_the_values_that_we_render(oracle, tmp_path: Path) -> None:
    oracle("testparm", package="samba-common-bin")

    @settings(max_examples=60, deadline=None)
    @given(models(SmbGlobal), models(SambaShare))
    def compare(server: dict[str, object], share: dict[str, object]) -> None:
        conf = SmbConf(
            global_=SmbGlobal(**server),
            shares=[SambaShare(**{"name": "s", "path": "/s"} | share)],
        )
        path = tmp_path / "smb.conf"
        path.write_text(conf.render())
        run = run_testparm(oracle, path)
        assert run.returncode == 0, run.stderr
        seen = SmbConf.parse(run.stdout)
        for section, wanted, found in (
            ("global", conf.global_, seen.global_),
            ("s", conf.shares["s"], seen.shares["s"]),
        ):
            for name in server if section == "global" else share:
                says(oracle, path, section, name, wanted, found)

    compare()


def says(oracle, path: Path, section: str, name: str, wanted, found) -> None:
    """Assert that a dump has a value; where it leaves it out as a default, ask for it by name."""
    value, shown = getattr(wanted, name), getattr(found, name)
    meta = lens_of(type(wanted)).fields[name]
    assert isinstance(meta, Option)
    if shown is None:
        spelled = meta.spellings[0].key
        run = run_testparm(oracle, path, f"--parameter-name={spelled}", f"--section-name={section}")
        shown = meta.codec.decode([tini.collapse(run.stdout.strip())])
    assert alike(shown) == alike(value), (section, name)


def alike(value: object) -> object:
    """Samba upper-cases some names and spells some words its own way."""
    return value.casefold().replace(" ", "") if isinstance(value, str) else value


def test_the_commands_run(oracle, tmp_path: Path) -> None:
    oracle("testparm", package="samba-common-bin")
    path = tmp_path / "smb.conf"
    path.write_text("[global]\nworkgroup = NAS\n[my docs]\npath = /tmp\nwriteable = yes\n")
    printed = commands.testparm(str(path), local=True).run(Local()).value
    assert SmbConf.parse(printed).shares["MY DOCS"].read_only is False
    read_only = commands.testparm_value(str(path), "read only", "my docs").run(Local()).value
    assert read_only == "No\n"
    path.write_text("[global]\n[unterminated\n")
    with pytest.raises(CommandFailed, match="exit code 1"):
        commands.testparm(str(path), local=True).run(Local())
