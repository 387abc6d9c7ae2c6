"""dlm.conf as a value."""

from __future__ import annotations

import pickle

import pytest
from attrs import evolve

from clusternas.core.errors import ValidationError
from clusternas.corosync.dlm import (
    DlmConf,
    DlmConnect,
    DlmDevice,
    DlmLockspace,
    DlmMaster,
    DlmUnfence,
)

CONF = """\
# fencing
enable_fencing = 1 ignored
post_join_delay=10

device apc fence_apc ip=10.0.0.9 password=s3cret
connect apc node=1 port=1
# the other
connect apc node=2  port=2
unfence apc

lockspace data nodir=1
master data node=1 weight=2
"""


@pytest.fixture
def conf() -> DlmConf:
    return DlmConf.parse(CONF, "/etc/dlm/dlm.conf")


def test_it_is_read(conf: DlmConf) -> None:
    assert (conf.enable_fencing, conf.post_join_delay) == (True, 10)
    device = conf.devices["apc"]
    assert (device.agent, device.params) == ("fence_apc", ("ip=10.0.0.9", "password=s3cret"))
    assert device.connects["2"].params == ("port=2",)
    assert device.unfence.keys() == ["apc"]
    assert conf.lockspaces["data"].masters["1"].weight == 2
    assert not conf.validate()


def test_a_change_touches_its_bytes(conf: DlmConf) -> None:
    assert conf.render() == CONF
    off = evolve(conf, enable_fencing=False).render()
    assert off == CONF.replace("enable_fencing = 1", "enable_fencing = 0")
    device = conf.devices["apc"]
    connect = evolve(device.connects["2"], params=("port=7", "delay=15"))
    device = evolve(device, connects=device.connects.put(connect))
    changed = evolve(conf, devices=conf.devices.put(device))
    assert changed.render() == CONF.replace("  port=2", "  port=7 delay=15")


def test_a_node_is_connected_in_the_section_of_its_device(conf: DlmConf) -> None:
    device = conf.devices["apc"]
    new = DlmConnect(device="apc", node=3, params=("port=3",))
    device = evolve(device, connects=device.connects.put(new))
    text = evolve(conf, devices=conf.devices.put(device)).render()
    assert text == CONF.replace("port=2\n", "port=2\nconnect apc node=3 port=3\n")


def test_it_is_written_as_dlm_controld_reads_it() -> None:
    conf = DlmConf(
        enable_fencing=True,
        devices=[
            DlmDevice(
                name="a", agent="f", params=("x=1",), connects=[DlmConnect(device="a", node=1)]
            ),
            DlmDevice(
                name="b",
                agent="g",
                connects=[DlmConnect(device="b", node=1)],
                unfence=[DlmUnfence(device="b")],
            ),
        ],
        lockspaces=[
            DlmLockspace(name="data", nodir=1, masters=[DlmMaster(lockspace="data", node=1)])
        ],
    )
    assert conf.render() == (
        "enable_fencing=1\n"
        "device a f x=1\nconnect a node=1\n\n"
        "device b g\nconnect b node=1\nunfence b\n\n"
        "lockspace data nodir=1\nmaster data node=1\n\n"
    )
    assert DlmConf.parse(conf.render()) == conf


def test_secrets_do_not_show(conf: DlmConf) -> None:
    assert "s3cret" not in repr(conf)
    assert "password=********" in repr(conf)


def test_what_cannot_be_written_is_refused() -> None:
    for bad in ("a b", "", "a\nb"):
        with pytest.raises(ValidationError):
            DlmDevice(name="a", agent="f", params=(bad,))
    with pytest.raises(ValidationError):
        DlmConnect(device="a", node=-1)


def test_it_pickles(conf: DlmConf) -> None:
    assert pickle.loads(pickle.dumps(conf)) == conf
