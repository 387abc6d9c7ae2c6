"""A configuration over many files."""

from pathlib import Path

import pytest

from clusternas.core.errors import ParseError
from clusternas.drbd.files import DrbdFiles

PAIR = """resource {name} {{
  device /dev/drbd{minor};
  disk /dev/vg/{name};
  meta-disk internal;
  on nas01 {{ device /dev/drbd{minor}; disk /dev/vg/{name}; address 10.0.0.1:{port}; }}
  on nas02 {{ device /dev/drbd{minor}; disk /dev/vg/{name}; address 10.0.0.2:{port}; }}
}}
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "drbd.d").mkdir()
    (tmp_path / "drbd.conf").write_text(
        'include "drbd.d/global_common.conf";\ninclude "drbd.d/*.res";\n'
    )
    (tmp_path / "drbd.d/global_common.conf").write_text(
        "global { usage-count no; }\ncommon { net { protocol C; timeout 50; } }\n"
    )
    for number, name in enumerate(("r0", "r1"), 1):
        text = PAIR.format(name=name, minor=number, port=7787 + number)
        (tmp_path / f"drbd.d/{name}.res").write_text(text)
    (tmp_path / "drbd.d/.hidden.res").write_text("nonsense")
    return tmp_path


def test_includes_are_read_in_order(etc: Path) -> None:
    found = DrbdFiles.read(str(etc / "drbd.conf"))
    names = [Path(name).name for name in found.files]
    assert names == ["drbd.conf", "global_common.conf", "r0.res", "r1.res"]
    assert found.resources.keys() == ["r0", "r1"]
    assert found.global_ is not None
    assert found.validate() == []
    assert (found.free_minor(1), found.free_port()) == (3, 7790)


def test_common_counts_over_files(etc: Path) -> None:
    found = DrbdFiles.read(str(etc / "drbd.conf"))
    counts = found.effective("r0")
    assert counts.net.protocol == "C"
    assert counts.origins["net.timeout"].kind == "common"


def test_what_stands_in_two_files(etc: Path) -> None:
    text = PAIR.format(name="r2", minor=1, port=7788).replace("/dev/vg/r2", "/dev/vg/r0")
    (etc / "drbd.d/r2.res").write_text(text + "common { }\n")
    found = DrbdFiles.read(str(etc / "drbd.conf")).validate()
    assert {each.code for each in found} == {"DRBD006", "DRBD007"}
    messages = [each.message for each in found]
    assert "minor 1 on nas01 of r2 is used by r0 already" in messages
    assert "common stands in two files" in messages
    assert all(each.path.endswith("r2.res") and each.line for each in found)


def test_what_stands_twice_in_one_file_is_said_once(etc: Path) -> None:
    text = PAIR.format(name="r0", minor=1, port=7788) + PAIR.format(name="r5", minor=1, port=7799)
    (etc / "drbd.d/r0.res").write_text(text)
    found = [each.message for each in DrbdFiles.read(str(etc / "drbd.conf")).validate()]
    assert sorted(found) == sorted(set(found))
    assert "minor 1 on nas02 of r5 is used by r0 already" in found


def test_loops_and_missing_files(etc: Path) -> None:
    (etc / "drbd.d/r0.res").write_text('include "../drbd.conf";\ninclude "nowhere.conf";\n')
    found = DrbdFiles.read(str(etc / "drbd.conf"))
    assert len(found.files) == 4
    (missing,) = [each for each in found.validate() if each.code == "DRBD015"]
    assert (missing.message, missing.line) == (
        "the included file nowhere.conf does not exist",
        2,
    )


def test_a_file_that_is_none(etc: Path) -> None:
    with pytest.raises(ParseError, match="does not exist"):
        DrbdFiles.read(str(etc / "nothing.conf"))


def test_texts_of_another_machine() -> None:
    contents = {
        "/etc/drbd.conf": 'include "drbd.d/*.res";',
        "/etc/drbd.d/r0.res": "resource r0 { }",
        "/etc/drbd.d/deep/r1.res": "resource r1 { }",
        "/etc/drbd.d/r2.res.bak": "resource r2 { }",
    }
    assert DrbdFiles.collect("/etc/drbd.conf", contents).resources.keys() == ["r0"]
