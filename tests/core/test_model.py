"""The lens engine, on a small grammar of its own: models as slices declare them."""

import pickle
from unittest.mock import patch

import attrs
import pytest
from attrs import evolve

from clusternas.core.codec import boolean, choice, flag, integer, string
from clusternas.core.diagnostics import Finding, Severity, rule, validate
from clusternas.core.errors import ParseError, UnsupportedError, ValidationError
from clusternas.core.fields import Spelling, argument, option, options, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.report import to_json, to_sarif, to_text
from clusternas.core.source import Source
from clusternas.core.syntax.blocks import DrbdSyntax, quoted
from clusternas.core.syntax.tree import Statement
from clusternas.core.versions import Toolset

OLD, NEW = Toolset(drbd="8.3"), Toolset(drbd="8.4")


class Base(Model):
    syntax = DrbdSyntax()
    tool = "drbd"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Net(Base):
    protocol: str | None = option(
        Spelling(since="8.4"),
        Spelling("protocol", place="", until="8.4"),
        codec=choice("A", "B", "C"),
    )
    dual: bool | None = option(
        Spelling(since="8.4"), Spelling(codec=flag(), until="8.4"), codec=boolean(bare=True)
    )
    timeout: int | None = option(codec=integer(1, 600, "1/10 s"), wins="first")
    quorum: str | None = option(codec=string(), since="9")
    peers: tuple[str, ...] = options("peer", codec=string(quoted))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Disk(Base):
    rate: str | None = option(
        Spelling("resync-rate", since="8.4"),
        Spelling("rate", place="syncer", until="8.4"),
        codec=string(),
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Host(Base):
    name: str = argument(string())
    device: str | None = option(codec=string())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Resource(Base):
    root = "resource"

    name: str = argument(string())
    hosts: Keyed[Host] = sections(Host, "on", name="name")
    net: Net | None = section(Net)
    disk: Disk | None = section(Disk)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Config(Base):
    resources: Keyed[Resource] = sections(Resource, "resource", name="name")


@rule("TEST001", Severity.WARNING, Net, link="a page")
def _two_primaries(net: Net, _toolset: Toolset):  # type: ignore[no-untyped-def]
    """Two primaries want protocol C."""
    if net.dual and net.protocol != "C":
        yield Finding(
            "dual without C", field="dual", help="write protocol C;", fix=evolve(net, protocol="C")
        )


TEXT = """\
# the resource
resource r0 {\t# open
  protocol C;   # safe
  on nas1 { device /dev/drbd1; }
  # the second
  on nas2 {
    device\t/dev/drbd1; # same
  }
  net {
    timeout 60;
    timeout 70;
    whatever 1 "two";
  }
  syncer { rate 33M; }
}
"""


@pytest.fixture
def r0() -> Resource:
    return Resource.parse(TEXT, "r0.res")


def changed(before: str, after: str) -> list[str]:
    """The lines that went and came."""
    old, new = before.splitlines(), after.splitlines()
    return [f"-{line}" for line in old if line not in new] + [
        f"+{line}" for line in new if line not in old
    ]


def test_reads_every_kind_of_field(r0: Resource) -> None:
    assert r0.name == "r0"
    assert r0.hosts.keys() == ["nas1", "nas2"]
    assert r0.hosts["nas2"].device == "/dev/drbd1"
    assert r0.net is not None
    assert (r0.net.protocol, r0.net.timeout) == ("C", 60)
    assert r0.disk == Disk(rate="33M")
    assert r0.net.extra["whatever"] == Statement("whatever", ("1", '"two"'))


def test_unchanged_is_identical(r0: Resource) -> None:
    assert r0.render() == TEXT
    assert r0.edits() == []
    assert r0.diff() == ""


def test_one_value_changes_its_bytes_alone(r0: Resource) -> None:
    hosts = r0.hosts.put(evolve(r0.hosts["nas2"], device="/dev/drbd9"))
    assert evolve(r0, hosts=hosts).render() == TEXT.replace(
        "\t/dev/drbd1; # same", "\t/dev/drbd9; # same"
    )


def test_a_stray_option_is_edited_where_it_stands(r0: Resource) -> None:
    assert r0.net
    assert r0.disk
    edited = evolve(r0, net=evolve(r0.net, protocol="B"), disk=evolve(r0.disk, rate="1G"))
    assert edited.render() == TEXT.replace("protocol C", "protocol B").replace("33M", "1G")


def test_the_first_of_two_wins_and_is_edited(r0: Resource) -> None:
    assert r0.net
    assert evolve(r0, net=evolve(r0.net, timeout=80)).render() == TEXT.replace(
        "timeout 60", "timeout 80"
    )


def test_removing_an_option_removes_all_of_them(r0: Resource) -> None:
    assert r0.net
    after = evolve(r0, net=evolve(r0.net, timeout=None)).render()
    assert changed(TEXT, after) == ["-    timeout 60;", "-    timeout 70;"]


def test_adding_goes_after_the_last_sibling(r0: Resource) -> None:
    assert r0.net
    after = evolve(r0, net=evolve(r0.net, dual=True, peers=("a b",))).render()
    assert '    whatever 1 "two";\n    dual yes;\n    peer "a b";\n  }' in after


def test_adding_and_removing_sections(r0: Resource) -> None:
    after = evolve(
        r0, hosts=r0.hosts.put(Host(name="nas3", device="/dev/drbd1")).without("nas1")
    ).render()
    assert changed(TEXT, after) == [
        "-  on nas1 { device /dev/drbd1; }",
        "+  on nas3 {",
        "+    device /dev/drbd1;",
    ]
    assert "  # the second\n  on nas2 {" in after


def test_reordering_moves_contents_and_keeps_comments(r0: Resource) -> None:
    after = evolve(r0, hosts=[r0.hosts["nas2"], r0.hosts["nas1"]]).render()
    assert Resource.parse(after).hosts.keys() == ["nas2", "nas1"]
    assert "  # the second\n  on nas1 { device /dev/drbd1; }\n" in after


def test_a_new_section_before_the_others(r0: Resource) -> None:
    edited = evolve(r0, hosts=[Host(name="nas0"), *r0.hosts])
    assert Resource.parse(edited.render()) == edited


def test_renaming_edits_the_name(r0: Resource) -> None:
    hosts = [evolve(host, name=f"{host.name}.example") for host in r0.hosts]
    expected = TEXT.replace("on nas1", "on nas1.example").replace("on nas2", "on nas2.example")
    assert evolve(r0, hosts=hosts).render() == expected


def test_removing_a_section_takes_its_strays(r0: Resource) -> None:
    after = evolve(r0, net=None).render()
    assert "protocol" not in after
    assert Resource.parse(after) == evolve(r0, net=None)


def test_editing_unknown_statements(r0: Resource) -> None:
    assert r0.net
    net = evolve(r0.net, extra=[Statement("whatever", ("3",)), Statement("more", ("x",))])
    after = evolve(r0, net=net).render()
    assert changed(TEXT, after) == ['-    whatever 1 "two";', "+    whatever 3;", "+    more x;"]


def test_one_line_sections_stay_on_their_line() -> None:
    text = "resource r { net { timeout 1; } }"
    r = Resource.parse(text)
    assert r.net
    assert (
        evolve(r, net=evolve(r.net, quorum="off")).render()
        == "resource r { net { timeout 1; quorum off; } }"
    )
    gone = evolve(r, net=evolve(r.net, timeout=None, quorum="off"))
    assert Resource.parse(gone.render()) == gone


def test_crlf_is_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    r = Resource.parse(text)
    assert r.net
    after = evolve(r, net=evolve(r.net, dual=True)).render()
    assert after == text.replace('"two";\r\n', '"two";\r\n    dual yes;\r\n')


def test_a_missing_final_newline_stays_missing() -> None:
    config = Config.parse("resource a {\n}")
    after = evolve(config, resources=[*config.resources, Resource(name="b")]).render()
    assert after == "resource a {\n}\nresource b {\n}"


@pytest.mark.parametrize("toolset", [None, OLD, NEW])
def test_from_nothing_reads_back_equal(toolset: Toolset | None) -> None:
    made = Resource(
        name="r1",
        hosts=[Host(name="a", device="/dev/drbd2")],
        net=Net(protocol="C", dual=True),
        disk=Disk(rate="3M"),
    )
    assert Resource.parse(made.render(toolset)) == made


def test_translation_moves_and_reports(r0: Resource) -> None:
    text, report = r0.translate(NEW)
    assert Resource.parse(text) == r0
    assert "syncer" not in text
    assert [(each.line, each.after) for each in report] == [
        (3, "protocol C"),
        (14, "resync-rate 33M"),
    ]
    back, _ = Resource.parse(text).translate(OLD)
    assert "rate 33M" in back
    assert "net {" in back


def test_a_section_that_translation_empties_goes() -> None:
    text = "resource r {\n  disk {\n    resync-rate 3M;\n  }\n}\n"
    assert Resource.parse(text).render(OLD) == "resource r {\n  syncer {\n    rate 3M;\n  }\n}\n"


def test_what_a_toolset_cannot_say_names_field_line_and_version() -> None:
    r = Resource.parse("resource r {\n  net {\n    quorum off;\n  }\n}\n", "r.res")
    with pytest.raises(UnsupportedError, match=r"r.res:3:5: drbd 8.4 cannot express quorum"):
        r.render(NEW)


def test_construction_refuses_what_cannot_be_written() -> None:
    with pytest.raises(ValidationError, match="timeout: not a number: 'x'"):
        Net(timeout="x")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="name: not one word"):
        Host(name="two words")


def test_unreadable_values_are_reported_and_mended_in_place() -> None:
    r = Resource.parse("resource r { net { timeout soon; } }", "r.res")
    assert r.net
    assert r.net.timeout is None
    [finding] = r.validate(NEW)
    assert (finding.code, finding.line, finding.column) == ("DRBD900", 1, 20)
    assert "not a number: 'soon'" in finding.message
    assert evolve(r, net=evolve(r.net, timeout=5)).render() == "resource r { net { timeout 5; } }"


def test_validate_reports_in_the_order_of_the_text(r0: Resource) -> None:
    codes = [(each.line, each.code) for each in r0.validate(NEW)]
    assert codes == [(3, "DRBD903"), (12, "DRBD901"), (14, "DRBD903")]


def test_rules_point_at_the_field_and_mend_it() -> None:
    net = Resource.parse("resource r {\n net {\n  dual yes;\n }\n}\n").net
    assert net
    [finding] = validate(net, NEW)
    assert (finding.code, finding.line, finding.column, finding.link) == ("TEST001", 3, 3, "a page")
    assert net.document
    assert (
        str(net.document.apply(finding.fix))
        == "resource r {\n net {\n  dual yes;\n  protocol C;\n }\n}\n"
    )


def test_a_comment_silences_a_rule() -> None:
    net = Resource.parse(
        "resource r {\n net {\n  dual yes; # clusternas: ignore[TEST001]\n }\n}\n"
    ).net
    assert net
    assert validate(net, NEW) == []


def test_views_of_findings(r0: Resource) -> None:
    found = r0.validate(NEW)
    assert to_text(found).splitlines()[:3] == [
        "r0.res:3:3: DRBD903 error: protocol is not understood here by drbd 8.4",
        "    protocol C;   # safe",
        "    ^^^^^^^^^^^",
    ]
    assert '"code": "DRBD903"' in to_json(found)
    assert '"startLine": 12' in to_sarif(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no section 'resource'"),
        ("resource a { } resource b { }", "2 sections 'resource'"),
        ("resource a { \0 }", "NUL"),
    ],
)
def test_no_value_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        Resource.parse(text)


def test_reading_says_what_is_wrong_with_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ParseError, match="does not exist"):
        Resource.read(tmp_path / "no")
    with pytest.raises(ParseError, match="is a directory"):
        Resource.read(tmp_path)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(ParseError, match="no configuration is that large"):
        Resource.read(large)


def test_values_are_lazy_until_asked_for() -> None:
    config = Config.parse(TEXT + TEXT.replace("r0", "r1"))
    edited = evolve(
        config, resources=config.resources.put(evolve(config.resources["r1"], net=None))
    )
    assert edited.render().startswith(TEXT)
    assert "hosts" not in vars(config.resources["r0"])


def test_models_pickle_with_their_text(r0: Resource) -> None:
    again = pickle.loads(pickle.dumps(r0))
    assert again == r0
    assert again.render() == TEXT
    assert again.net
    edited = pickle.loads(pickle.dumps(evolve(again, net=evolve(again.net, timeout=5))))
    assert edited.render() == TEXT.replace("timeout 60", "timeout 5")


def test_equal_values_are_equal_wherever_they_come_from(r0: Resource) -> None:
    made = Resource.parse(r0.render(NEW))
    assert made == r0
    assert hash(made) == hash(r0)


def test_repr_leaves_out_defaults() -> None:
    assert repr(Resource(name="r", net=Net(timeout=5))) == "Resource(name='r', net=Net(timeout=5))"


def test_deep_nesting_is_bounded() -> None:
    config = Config.parse("a {" * 10_000)
    assert any("deeper than" in each.message for each in config.validate())


def test_secrets_are_shown_to_nobody() -> None:
    from clusternas import DrbdResource
    from clusternas.core.report import to_text

    r0 = DrbdResource.parse("resource r0 {\n  net {\n    shared-secret s3cret;\n  }\n}\n", "r0.res")
    assert r0.net
    assert "s3cret" not in repr(r0)
    changed = evolve(r0, net=evolve(r0.net, shared_secret="n3w"))
    assert "n3w" in changed.render()
    assert "s3cret" not in changed.diff()
    assert "n3w" not in changed.diff()
    assert "s3cret" not in to_text(r0.validate())


@pytest.mark.parametrize("more", ["", "include other;\n", "resource r1 { unknown { x y; } }\n"])
def test_load_leaves_nothing_to_read(more: str) -> None:
    config = Config.parse(TEXT + more).load()
    with patch.object(Source, "values", side_effect=AssertionError("read late")):
        assert len(repr([*config.nested()])) > len("[]")
    assert config.render() == TEXT + more


def test_load_reads_what_was_changed_too(r0: Resource) -> None:
    other = Resource.parse("resource x { net { timeout 7; peer a; } }").net
    assert other is not None
    other = Net.of(other.document.root.children[0].children[0])
    assert "timeout" not in vars(other)
    evolve(r0, net=other).load()
    assert vars(other)["timeout"] == 7
