"""The bar of losslessness, in every format: one value changed in a file with comments, tabs, CRLF
and duplicate keys changes exactly the bytes of that value.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from clusternas import (
    ClvmdSysconfig,
    CmanCluster,
    CorosyncCluster,
    CtdbConfig,
    DlmConf,
    DrbdConfig,
    Fstab,
    LvmConf,
    SmbConf,
    ZoneFile,
)
from clusternas.ctdb.tables import CtdbPublicAddresses, CtdbTunables
from clusternas.drbd.quantity import Quantity

Change = Callable[[Any], Any]


def inside(section: str, **values: object) -> Change:
    """Change fields of one section."""
    return lambda model: evolve(model, **{section: evolve(getattr(model, section), **values)})


def item(field: str, name: str, **values: object) -> Change:
    """Change fields of one of several items."""
    return lambda model: evolve(
        model, **{field: getattr(model, field).put(evolve(getattr(model, field)[name], **values))}
    )


def drbd(config: DrbdConfig) -> DrbdConfig:
    r0 = config.resources["r0"]
    assert r0.net is not None
    net = evolve(r0.net, timeout=Quantity("70", "1/10 s"))
    return evolve(config, resources=config.resources.put(evolve(r0, net=net)))


CASES: dict[str, tuple[type[Any], str, Change, str, str]] = {
    "drbd.conf": (
        DrbdConfig,
        '# top\n\nresource "r0" {\n\tnet {\t# a\n\t\ttimeout\t60 ; # old\n\t\ttimeout\t 61;# new\n'
        "\t\twhatever x;\n\t}\n\ton a { disk /dev/sda; }\n}\n# end",
        drbd,
        "61",
        "70",
    ),
    "cluster.conf": (
        CmanCluster,
        "<?xml version='1.0'?>\n<!-- top -->\n<cluster\tname='nas'\n"
        "  config_version=\"7\" odd='1'>\n"
        "\t<clusternodes>\n\t\t<clusternode name=\"a\"  nodeid='1'/><!-- a -->\n\t</clusternodes>\n"
        "</cluster>\n",
        lambda model: evolve(model, config_version=8),
        '"7"',
        '"8"',
    ),
    "corosync.conf": (
        CorosyncCluster,
        "# top\ntotem{\n\ttoken:\t1000\n  token : 3000 \n\todd: #1\n}\n\nquorum {\n}\n",
        inside("totem", token=4000),
        "3000",
        "4000",
    ),
    "dlm.conf": (
        DlmConf,
        "# top\nlog_debug=1\npost_join_delay = 30 trailing\n\todd=1\n"
        "device f /a b=1\nconnect f node=1\n",
        lambda model: evolve(model, post_join_delay=60),
        "30",
        "60",
    ),
    "lvm.conf": (
        LvmConf,
        "# top\nglobal {\n\tlocking_type\t=\t1 # old\n\tlocking_type = 3\n"
        '\todd = "x"\n}\ndevices/dir = "/dev"\n',
        inside("global_", locking_type=1),
        "= 3",
        "= 1",
    ),
    "clvmd": (
        ClvmdSysconfig,
        '# top\nCLVMDOPTS="-I auto"\n  export ODD=1\nCLVMDOPTS="-I cman" # new\n',
        lambda model: evolve(model, options=("-I", "corosync")),
        '"-I cman"',
        '"-I corosync"',
    ),
    "fstab": (
        Fstab,
        "# top\n/dev/a\t/a  ext4 defaults 0 1\n  /dev/b /opt\tgfs2\tnoatime,odd\t0 0\n# end\n",
        item("entries", "/opt", options=("noatime", "odd", "_netdev")),
        "noatime,odd",
        "noatime,odd,_netdev",
    ),
    "smb.conf": (
        SmbConf,
        "; top\n[Global]\n\tWork Group = one\n  workgroup\t=\ttwo\n# c\n"
        "[opt]\n path=/opt\n  odd thing = x\n",
        inside("global_", workgroup="three"),
        "two",
        "three",
    ),
    "ctdb.conf": (
        CtdbConfig,
        "# top\n[cluster]\n\tcluster lock = /a\n  cluster lock\t=\t/b\n\n[legacy]\n# end\n",
        inside("cluster", cluster_lock="/c"),
        "/b",
        "/c",
    ),
    "public_addresses": (
        CtdbPublicAddresses,
        "# top\n10.0.0.1/24\teth0\n  10.0.0.2/24   eth0,eth1 \n",
        item("all", "10.0.0.2/24", interfaces=("eth2",)),
        "eth0,eth1",
        "eth2",
    ),
    "tunables": (
        CtdbTunables,
        "# top\nMonitorInterval=3\n  KeepaliveInterval = 5\nMonitorInterval=4\n",
        item("all", "KeepaliveInterval", value=6),
        "5",
        "6",
    ),
    "zone": (
        ZoneFile,
        "; top\n$TTL 1h ; ttl\n@\tIN SOA a b ( 1 ; serial\n\t2 3 4 5 )\n"
        "w\t60 IN A\t10.0.0.1 ; one\n"
        "\tIN\tA 10.0.0.2\n",
        lambda model: evolve(model, ttl=60),
        "1h",
        "60",
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", CASES)
def test_only_the_bytes_of_the_value_change(name: str, newline: str) -> None:
    model, text, change, old, new = CASES[name]
    text = text.replace("\n", newline)
    assert text.count(old) == 1
    value = model.parse(text)
    assert value.render() == text
    assert change(value).render() == text.replace(old, new)
