"""Laws 2 to 5 for every model of a whole file, from strategies made of the models themselves.

2 `parse(t).render() == t`. 3 `parse(m.render(ts)) == m`. 4 rendering is idempotent. 5 a change
touches the lines that it owns and no other, and no comment disappears.
"""

from typing import Any
from unittest.mock import patch

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.cman.model import CmanCluster
from clusternas.core.errors import ParseError
from clusternas.core.fields import Option, Section
from clusternas.core.lens import lens_of
from clusternas.core.model import Model
from clusternas.core.source import Source
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.model import CtdbConfig
from clusternas.ctdb.tables import CtdbNodes, CtdbPublicAddresses, CtdbTunables
from clusternas.dns.model import ZoneFile
from clusternas.drbd.model import DrbdConfig, DrbdResource
from clusternas.fstab.model import Fstab
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.model import LvmConf
from clusternas.samba.model import SmbConf
from clusternas.testing.strategies import models, texts

WORDS: dict[type[Model], tuple[str, ...]] = {
    DrbdConfig: ("resource r0 {", "on a {", "net {", "protocol C;", "disk /dev/sda;", "}"),
    DrbdResource: ("resource r0 {", "on a {", "net {", "protocol C;", "syncer { rate 3M; }", "}"),
    CmanCluster: ('<cluster name="a" config_version="1">', "<clusternodes>", "</cluster>", "/>"),
    CorosyncCluster: ("totem {\n", "version: 2\n", "}\n", "nodelist {\n", "node {\n", "# c\n"),
    DlmConf: ("log_debug=1\n", "device f a\n", "connect f node=1\n", "lockspace x\n"),
    LvmConf: ("devices {", "filter = [", '"a|x|"', "]", "global {", "locking_type = 3", "}"),
    ClvmdSysconfig: ("CLVMDOPTS=", '"-I cman"', "\n", "# c\n"),
    Fstab: ("/dev/sda1 /opt gfs2 noatime 0 0\n", "# c\n", "LABEL=x\t/x\text4\n"),
    SmbConf: ("[global]\n", "workgroup = x\n", "[opt]\n", "path = /opt\n", "; c\n", "\\\n"),
    CtdbConfig: ("[cluster]\n", "cluster lock = /x\n", "[logging]\n", "# c\n"),
    CtdbNodes: ("10.0.0.1\n", "#10.0.0.2\n", "10.0.0.3\n"),
    CtdbPublicAddresses: ("10.0.0.1/24 eth0\n", "# c\n"),
    CtdbTunables: ("KeepaliveInterval=5\n", "# c\n"),
    ZoneFile: ("$TTL 60\n", "@ SOA a b 1 2 3 4 5\n", "w A 10.0.0.1\n", "\tA 10.0.0.2\n", "; c\n"),
}
TOOLSETS = {
    "any": Toolset.UNKNOWN,
    "el6": Toolset.EL6,
    "el9": Toolset.EL9,
    "debian12": Toolset.DEBIAN12,
}

each_model = pytest.mark.parametrize("model", WORDS, ids=lambda model: model.__name__)
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@each_model
@given(data=st.data())
def test_2_what_was_read_is_rendered_as_it_was(model: type[Model], data: st.DataObject) -> None:
    text = data.draw(texts(*WORDS[model]))
    try:
        value = model.parse(text)
    except ParseError:
        return
    assert value.render() == text
    assert value.edits() == []
    again = model.parse(text)
    assert again == value
    value.validate()


MARKS = (
    "# a; b\n",
    "# {\n",
    "# }",
    '"',
    '"; "',
    ";",
    "{",
    "}",
    "\n",
    "\xa0",
    "\\",
    "skip { } ",
    "no-",
)


def pieces(model: Model) -> list[tuple[type[Model], object, str]]:
    """All that a model says, and where it says it."""
    found = []
    for each in model.nested():
        shown, source = repr(each), each._source
        assert source is not None
        at = [(node.start, node.end) for node in source.nodes]
        wrong = sorted((name, reason) for name, _, reason in source.unreadable)
        found.append((type(each), at, f"{shown} {wrong}"))
    return found


@each_model
@given(data=st.data())
@slow
def test_what_is_read_at_once_is_what_is_read_piece_by_piece(
    model: type[Model], data: st.DataObject
) -> None:
    text = data.draw(models(model)).render()
    for mark in data.draw(st.lists(st.sampled_from(MARKS), max_size=3)):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + mark + text[at:]
    try:
        whole = model.parse(text).load()
    except ParseError:
        return
    with patch.object(Source, "_quick", lambda _: None):
        assert pieces(model.parse(text)) == pieces(whole)


@each_model
@pytest.mark.parametrize("toolset", TOOLSETS)
@given(data=st.data())
@slow
def test_3_and_4_what_is_rendered_reads_back(
    model: type[Model], toolset: str, data: st.DataObject
) -> None:
    tools = TOOLSETS[toolset]
    made = counted(data.draw(models(model, tools)))
    text = made.render(tools)
    read = model.parse(text)
    assert tidy(read) == tidy(made)
    assert read.render(tools) == text


@each_model
@given(data=st.data())
@slow
def test_5_a_change_touches_what_it_owns(model: type[Model], data: st.DataObject) -> None:
    """One field of one model inside is changed: the rest of the text stays, comments and all."""
    made = data.draw(models(model))
    text = commented(made.render())
    before = model.parse(text)
    if before != model.parse(made.render()):
        return  # a comment is a value there, as in the nodes of CTDB
    after = data.draw(changed_once(before))
    if after == before:
        return
    rendered = after.render()
    assert tidy(model.parse(rendered)) == tidy(normal(after))
    if len(list(after.nested())) < len(list(before.nested())):
        return  # what was removed took the comments inside it
    gone = [line for line in text.split("\n") if line not in rendered.split("\n")]
    assert not [line for line in gone if line.startswith(COMMENTS)]


COMMENTS = ("# kept", "; kept", "<!-- kept")


def commented(text: str) -> str:
    """The text with a comment line above every line that may have one."""
    if text.startswith("<?xml"):
        head, _, rest = text.partition("\n")
        return head + "\n" + rest.replace("\n", "\n<!-- kept -->\n")
    mark = ";" if "SOA" in text or "$TTL" in text or "$ORIGIN" in text else "#"
    rows = []
    for number, line in enumerate(text.split("\n")):
        inside = line.startswith("\t\t\t") and mark == ";"  # of a SOA in parentheses
        rows += [line] if inside or not line else [f"{mark} kept {number}", line]
    return "\n".join(rows)


@st.composite
def changed_once(draw: st.DrawFn, value: Any) -> Any:
    """The value with one field, at any depth, set to another sample or to None."""
    fields = lens_of(type(value)).fields
    choices = [name for name, meta in fields.items() if isinstance(meta, Option | Section)]
    if not choices:
        return value
    name = draw(st.sampled_from(choices))
    meta, old = fields[name], getattr(value, name)
    if isinstance(meta, Option):
        if meta.many or not meta.codec.samples:
            return value
        return evolve(value, **{name: draw(st.sampled_from([None, *meta.codec.samples]))})
    if not meta.many:
        return value if old is None else evolve(value, **{name: draw(changed_once(old))})
    if not len(old):
        return value
    at = draw(st.integers(0, len(old) - 1))
    items = list(old)
    if draw(st.booleans()):
        items[at] = draw(changed_once(items[at]))
    else:
        del items[at]
    return evolve(value, **{name: items})


def tidy(value: Any) -> Any:
    """Without sections that say nothing: what stands in one in 8.3 may belong to another today."""
    changes: dict[str, Any] = {}
    for name, meta in lens_of(type(value)).fields.items():
        if isinstance(meta, Section):
            old = getattr(value, name)
            if meta.many:
                changes[name] = [tidy(each) for each in old]
            elif old is not None:
                new = tidy(old)
                changes[name] = None if new == meta.model() else new
    return evolve(value, **changes)


def counted(value: Model) -> Model:
    """With what a file has to have: cluster.conf a version."""
    if isinstance(value, CmanCluster) and value.config_version is None:
        return evolve(value, config_version=1)
    return value


def normal(value: Model) -> Model:
    """What a later version of the file counts itself: cluster.conf counts its versions."""
    if isinstance(value, CmanCluster):
        return CmanCluster.parse(value.render())
    return value
