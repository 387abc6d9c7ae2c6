"""smb.conf as typed values: what is read, and that a change touches its own bytes alone."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.samba.model import SambaShare, SmbConf, SmbGlobal
from clusternas.samba.values import split

TEXT = """\
# The NAS
[global]
   WorkGroup = NAS   # of the house
   vfs objects = fileid
   fileid : algorithm = fsname
   clustering = Yes
   printing = bsd

#=== Shares ===

[opt]
   comment = Test Cluster
   path = /opt
   writeable = yes
   valid users = @staff, "DOM\\jo doe"
   create mode = 0664
;   guest ok = yes

# last
[Pub]
\tpath=/srv/pub
\tread only = yes
\tread only = no
"""


def test_fields_are_typed_and_synonyms_are_understood() -> None:
    conf = SmbConf.parse(TEXT)
    assert conf.global_ is not None
    assert conf.global_.workgroup == "NAS # of the house"
    assert conf.global_.clustering is True
    assert conf.global_.fileid_algorithm == "fsname"
    opt = conf.shares["OPT"]
    assert (opt.name, opt.comment, opt.path) == ("opt", "Test Cluster", "/opt")
    assert opt.read_only is False
    assert opt.valid_users == ("@staff", "DOM\\jo doe")
    assert opt.create_mask == 0o664
    assert conf.shares["pub"].read_only is False
    assert conf.shares.keys() == ["opt", "Pub"]


def test_every_other_parameter_is_extra() -> None:
    conf = SmbConf.parse(TEXT)
    assert conf.global_ is not None
    assert conf.global_.extra["printing"].words == ("bsd",)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_nothing_changed_is_byte_identical(newline: str) -> None:
    text = TEXT.replace("\n", newline)
    assert SmbConf.parse(text).render() == text
    assert SmbConf.parse(text).render(Toolset.DEBIAN12) == text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        ({"read_only": True}, "writeable = yes", "writeable = no"),
        ({"create_mask": 0o600}, "create mode = 0664", "create mode = 0600"),
        ({"comment": "x"}, "= Test Cluster", "= x"),
        ({"comment": None}, "   comment = Test Cluster\n", ""),
        ({"valid_users": ("a", "b c")}, '@staff, "DOM\\jo doe"', 'a "b c"'),
        ({"guest_ok": True}, "0664\n", "0664\n   guest ok = yes\n"),
        ({"name": "data"}, "[opt]", "[data]"),
    ],
)
def test_a_change_touches_its_own_bytes(
    change: dict[str, object], old: str, new: str, newline: str
) -> None:
    conf = SmbConf.parse(TEXT.replace("\n", newline))
    opt = conf.shares["opt"]
    shares = [evolve(opt, **change), conf.shares["pub"]]
    changed = evolve(conf, shares=shares).render()
    assert changed == TEXT.replace(old, new).replace("\n", newline)


def test_of_duplicates_the_last_is_the_one_that_counts_and_changes() -> None:
    conf = SmbConf.parse(TEXT)
    pub = evolve(conf.shares["pub"], read_only=True)
    changed = evolve(conf, shares=conf.shares.put(pub)).render()
    assert changed == TEXT.replace("read only = no", "read only = yes")


def test_shares_come_and_go_with_their_own_lines() -> None:
    conf = SmbConf.parse(TEXT)
    assert "# last\n\n[new]" not in evolve(conf, shares=conf.shares.without("pub")).render()
    more = evolve(conf, shares=conf.shares.put(SambaShare(name="new", path="/new"))).render()
    assert more == TEXT + "\n[new]\n   path = /new\n"
    less = evolve(conf, shares=conf.shares.without("opt")).render()
    assert "/opt" not in less
    assert "# last\n[Pub]" in less
    assert "#=== Shares ===" in less


def test_extra_parameters_can_be_edited() -> None:
    conf = SmbConf.parse(TEXT)
    assert conf.global_ is not None
    changed = evolve(conf, global_=evolve(conf.global_, extra=())).render()
    assert changed == TEXT.replace("   printing = bsd\n", "")


def test_a_configuration_from_nothing() -> None:
    conf = SmbConf(
        global_=SmbGlobal(workgroup="NAS", clustering=True),
        shares=[SambaShare(name="opt", path="/opt", comment="Test Cluster", read_only=False)],
    )
    assert conf.render() == (
        "[global]\n\tworkgroup = NAS\n\tclustering = yes\n\n"
        "[opt]\n\tcomment = Test Cluster\n\tpath = /opt\n\tread only = no\n"
    )
    assert SmbConf.parse(conf.render()) == conf


def test_the_article_s_share() -> None:
    share = SambaShare.parse("[global]\n[opt]\n    path=/opt\n    comment=Test Cluster\n")
    assert (share.name, share.path, share.comment) == ("opt", "/opt", "Test Cluster")


def test_one_share_by_name() -> None:
    share = SambaShare.parse(TEXT, name="PUB")
    assert evolve(share, path="/x").render() == TEXT.replace("/srv/pub", "/x")
    with pytest.raises(ParseError, match="no share 'home'"):
        SambaShare.parse(TEXT, name="home")
    with pytest.raises(ParseError, match="2 sections"):
        SambaShare.parse(TEXT)


def test_a_share_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "smb.conf"
    path.write_text(TEXT)
    assert SambaShare.read(path, name="pub").path == "/srv/pub"
    assert SmbConf.read(path).document.path == str(path)


@pytest.mark.parametrize(
    ("toolset", "line"),
    [(Toolset.EL6, "min protocol = NT1"), (Toolset.DEBIAN12, "server min protocol = NT1")],
)
def test_spelling_follows_the_toolset(toolset: Toolset, line: str) -> None:
    conf = SmbConf(global_=SmbGlobal(server_min_protocol="NT1"))
    assert conf.render(toolset) == f"[global]\n\t{line}\n"
    assert SmbConf.parse(conf.render(toolset)) == conf


@pytest.mark.parametrize(
    "make",
    [
        lambda: SambaShare(name="a]b"),
        lambda: SambaShare(name="Glo bal"),
        lambda: SambaShare(name=""),
        lambda: SambaShare(name="a", comment="two\nlines"),
        lambda: SambaShare(name="a", comment="back\\"),
        lambda: SambaShare(name="a", valid_users=('a"b',)),
        lambda: SambaShare(name="a", create_mask=-1),
        lambda: SambaShare(name="a", read_only="yes"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(make) -> None:
    with pytest.raises(ValidationError):
        make()


def test_values_pickle() -> None:
    for conf in (SmbConf.parse(TEXT), SmbConf(shares=[SambaShare(name="a", path="/a")])):
        again = pickle.loads(pickle.dumps(conf))
        assert again == conf
        assert again.shares["A" if len(conf.shares) == 1 else "OPT"].name


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("", ()),
        ("a b,c;d\te", ("a", "b", "c", "d", "e")),
        ('+grp @"a b", "x y"', ("+grp", "@a b", "x y")),
        ('"open end', ("open end",)),
        ("10. EXCEPT 10.1. ; 10.2.", ("10.", "EXCEPT", "10.1.", "10.2.")),
    ],
)
def test_lists_split_as_samba_splits_them(value: str, items: tuple[str, ...]) -> None:
    assert split(value) == items


def effective(text: str) -> dict[str, SambaShare]:
    return dict(SmbConf.parse(text).effective)


def test_a_share_starts_with_what_global_has_said_so_far() -> None:
    found = effective("[a]\npath=/a\n[global]\nread only=no\nvfs objects=fileid\n[b]\npath=/b\n")
    assert (found["a"].read_only, found["a"].vfs_objects) == (None, None)
    assert (found["b"].read_only, found["b"].vfs_objects) == (False, ("fileid",))


def test_own_values_replace_those_of_global() -> None:
    found = effective("[global]\nvfs objects=fileid\n[a]\nvfs objects=recycle\n")
    assert found["a"].vfs_objects == ("recycle",)


def test_a_section_that_comes_again_adds_but_forgets_module_options() -> None:
    found = effective("[s]\npath=/s\nfileid:algorithm=fsid\n[t]\n[S]\nread only=no\n")
    assert (found["s"].path, found["s"].read_only, found["s"].fileid_algorithm) == (
        "/s",
        False,
        None,
    )


def test_copy_takes_over_what_is_not_said_already() -> None:
    found = effective("[a]\npath=/a\nread only=no\ncomment=A\n[b]\ncomment=mine\ncopy=a\n")
    assert (found["b"].path, found["b"].read_only, found["b"].comment) == ("/a", False, "mine")


def test_module_options_of_global_apply_from_anywhere() -> None:
    found = effective("[a]\npath=/a\n[global]\nfileid:algorithm=fsname\n")
    assert found["a"].fileid_algorithm == "fsname"


names = (
    st.text("abcXYZ 0$", min_size=1, max_size=8)
    .map(str.strip)
    .filter(lambda name: name and "  " not in name)
)
words = st.text('ab,; "=[]#%\\é', max_size=10).map(lambda text: " ".join(text.split()).strip("\\ "))
shares = st.builds(
    SambaShare,
    name=names,
    comment=st.none() | words,
    path=st.none() | words,
    read_only=st.none() | st.booleans(),
    create_mask=st.none() | st.integers(0, 0o7777),
    valid_users=st.none()
    | st.lists(
        st.text("a b@\\", min_size=1, max_size=5)
        .map(lambda text: " ".join(text.split()).rstrip("\\ "))
        .filter(bool)
    ).map(tuple),
)


@given(st.lists(shares, max_size=4, unique_by=lambda share: share.name.lower()))
def test_what_is_rendered_reads_back(given_shares: list[SambaShare]) -> None:
    conf = SmbConf(shares=given_shares)
    assert SmbConf.parse(conf.render()) == conf


@given(st.data())
def test_any_set_of_shares_can_become_any_other(data: st.DataObject) -> None:
    several = st.lists(shares, max_size=4, unique_by=lambda share: share.name.lower())
    before = SmbConf(shares=data.draw(several))
    after = data.draw(several)
    conf = evolve(SmbConf.parse(before.render()), shares=after)
    assert list(SmbConf.parse(conf.render()).shares) == after
