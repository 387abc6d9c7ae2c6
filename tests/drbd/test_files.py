"""A configuration over many files."""

from pathlib import Path

import pytest
from attrs import evolve

from clusternas.core.errors import ParseError
from clusternas.drbd.files import DrbdFiles
from clusternas.drbd.model import DrbdConfig

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
        "the file nowhere.conf does not exist",
        2,
    )


def test_a_file_knows_what_it_includes(etc: Path) -> None:
    config = DrbdConfig.read(str(etc / "drbd.conf"))
    assert config.with_includes() == DrbdFiles.read(str(etc / "drbd.conf"))
    changed = evolve(config, includes=("drbd.d/r1.res",)).with_includes()
    assert changed.resources.keys() == ["r1"]
    assert changed.files[str(etc / "drbd.conf")].includes == ("drbd.d/r1.res",)


def test_each_real_file_is_read_once(etc: Path) -> None:
    (etc / "drbd.d/link.res").symlink_to(etc / "drbd.d/r0.res")
    (etc / "deep").mkdir()
    (etc / "deep/drbd.d").symlink_to(etc / "drbd.d")
    with (etc / "drbd.conf").open("a") as file:
        file.write('include "deep/../drbd.d/r?.res";\ninclude "deep/drbd.d/r[01].res";\n')
    found = DrbdFiles.read(str(etc / "drbd.conf"))
    assert len(found.files) == 4
    assert found.validate() == []


def test_a_chain_of_includes_is_followed_to_its_end(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number}.conf").write_text(f'include "{number + 1}.conf";\n')
    (tmp_path / "2000.conf").write_text("resource last { }")
    assert DrbdFiles.read(str(tmp_path / "0.conf")).resources.keys() == ["last"]


def test_too_many_files_are_refused(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusternas.drbd.files.MAX_FILES", 3)
    with pytest.raises(ParseError, match="more than 3 files"):
        DrbdFiles.read(str(etc / "drbd.conf"))


def test_an_include_that_is_a_directory(etc: Path) -> None:
    (etc / "drbd.d/r0.res").write_text('include "../drbd.d";\n')
    with pytest.raises(ParseError, match="is a directory"):
        DrbdFiles.read(str(etc / "drbd.conf"))


def test_a_template_counts_in_place_of_common(etc: Path) -> None:
    (etc / "drbd.d/fast.conf").write_text("common { net { protocol A; } }\n")
    r0 = etc / "drbd.d/r0.res"
    r0.write_text(r0.read_text().replace("on nas01", "template-file fast.conf;\n  on nas01", 1))
    found = DrbdFiles.read(str(etc / "drbd.conf"))
    (template,) = found.templates.values()
    assert template.document.path == str(etc / "drbd.d/fast.conf")
    counts = found.effective("r0")
    assert (counts.net.protocol, counts.net.timeout) == ("A", None)
    assert counts.origins["net.protocol"].model is template.common.net
    assert found.effective("r1").net.protocol == "C"
    (etc / "drbd.d/fast.conf").write_text("common { net { protocol A; allow-two-primaries; } }\n")
    again = DrbdFiles.read(str(etc / "drbd.conf")).validate()
    assert ("DRBD002", "r0") in [(each.code, each.message.split()[0]) for each in again]
    (etc / "drbd.d/fast.conf").unlink()
    (missing,) = DrbdFiles.read(str(etc / "drbd.conf")).validate()
    assert (missing.code, missing.line) == ("DRBD015", 5)
    assert missing.message.endswith("fast.conf does not exist")


EVERYWHERE = """
resource a { device minor 3; on n1 { address 10.0.0.1:7001; } on n2 { address 10.0.0.2:7001; } }
resource b {
  volume 0 { device minor 4; disk /dev/x; }
  on n1 { node-id 0; address 10.0.0.1:7002; }
  on n2 { node-id 2; address 10.0.0.2:7002; }
  on n3 { node-id 1; address 10.0.0.3:7002; }
  connection { host n1 port 7003; host n2 address 10.0.0.2:7004; }
  connection { path { host n1 address 10.1.0.1:7005; host n3 address 10.1.0.3:7005; } }
}
resource c {
  floating 10.0.0.1:7006 { device minor 5; proxy on p { inside 127.0.0.1:7007; } }
  stacked-on-top-of a { device /dev/drbd6; address 10.0.0.9:7008; }
}
"""


def test_what_is_used_anywhere_is_not_free() -> None:
    found = DrbdFiles.collect("/etc/drbd.conf", {"/etc/drbd.conf": EVERYWHERE})
    assert found.free_minor(3) == 7
    assert found.free_port(7001) == 7009
    assert found.free_node_id("b") == 3


@pytest.mark.parametrize(
    "more",
    [
        "resource d { volume 7 { device minor 4; } on n1 { address 10.0.0.1:1; } }",
        "resource d { device minor 4; on n1 { address 10.0.0.1:1; } }",
        "resource d { on n1 { volume 0 { device minor 4; } address 10.0.0.1:1; } }",
        "resource d { connection { host x address 10.0.0.2:7004; host n3; } }",
        "resource d { floating 10.1.0.1:7005; }",
        "resource d { stacked-on-top-of b { address 10.0.0.9:7008; } }",
        "resource d { on n1 { node-id 1; } floating 10.0.0.8:1 { node-id 1; } }",
        "resource d { floating 10.0.0.8:1; floating 10.0.0.8:1; }",
        "resource d { disk /dev/x; device minor 9; on n2 { address 10.0.0.2:1; } }",
    ],
)
def test_what_stands_twice_anywhere_is_found(more: str) -> None:
    texts = {"/etc/drbd.conf": EVERYWHERE + 'include "d.res";', "/etc/d.res": more}
    alone = DrbdFiles.collect("/etc/drbd.conf", {"/etc/drbd.conf": EVERYWHERE}).validate()
    codes = ("DRBD006", "DRBD007")
    assert not [each for each in alone if each.code in codes]
    found = DrbdFiles.collect("/etc/drbd.conf", texts).validate()
    assert {each.path for each in found if each.code in codes} == {"/etc/d.res"}


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
