"""xmllint decides about our cluster.conf: what is well-formed, and what the file then says.

cman itself runs on no system of today, and its schema is not ours to ship.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.cman.model import CmanCluster
from clusternas.core.syntax.xml import XmlSyntax

Lint = Callable[..., subprocess.CompletedProcess[bytes]]
SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

CONF = """\
<?xml version="1.0"?>
<!-- ours -->
<cluster name="nas" config_version="7">
  <cman two_node="1" expected_votes="1"/>
  <clusternodes>
    <clusternode name="a" nodeid="1"/> <!-- left -->
  </clusternodes>
  <fencedevices/>
</cluster>
"""


@pytest.fixture(scope="session")
def lint(oracle: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Lint:
    """Run xmllint on a text."""
    tool = oracle("xmllint", package="libxml2-utils")
    path = tmp_path_factory.mktemp("xml") / "cluster.conf"

    def run(text: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        argv = [tool, "--nonet", *options, str(path)]
        return subprocess.run(argv, capture_output=True, timeout=60, check=False)

    return run


def grown() -> CmanCluster:
    nas = CmanCluster.parse(CONF).add_fence_device("pdu", "fence_apc", passwd="<&>\"'é")
    return nas.add_node("b", fence="pdu", port="1").add_node("c", altname="c2").remove_node("a")


@pytest.mark.parametrize("nas", [grown(), CmanCluster.create("nas", two_node=True).add_node("a")])
def test_what_we_render_is_well_formed(lint: Lint, nas: CmanCluster) -> None:
    done = lint(nas.render(), "--noout")
    assert (done.returncode, done.stderr) == (0, b"")


def test_it_sees_the_values_that_we_wrote(lint: Lint) -> None:
    asked = {
        "/cluster/@config_version": "8",
        "count(/cluster/clusternodes)": "1",
        "count(/cluster/clusternodes/clusternode)": "2",
        "/cluster/clusternodes/clusternode[1]/fence/method/device/@port": "1",
        "/cluster/clusternodes/clusternode[2]/altname/@name": "c2",
        "/cluster/fencedevices/fencedevice/@passwd": "<&>\"'é",
        "count(//comment())": "1",
    }
    text = grown().render()
    for path, value in asked.items():
        done = lint(text, "--xpath", f"string({path})")
        assert done.stdout.decode().removesuffix("\n") == value, path


def test_the_articles_file_goes_through_unchanged(lint: Lint) -> None:
    path = Path(__file__).parent.parent / "data" / "cman" / "3.0.12" / "article-cluster.conf"
    text = path.read_text()
    assert lint(text, "--noout").returncode == 0
    assert lint(text).stdout == lint(CmanCluster.parse(text).render()).stdout


# fmt: off
PIECES = st.sampled_from([
    "<a>", "</a>", "<b c='1'/>", "<b c='1' c='2'/>", "<b c='<'/>", "<b c=1/>", "<b/c='1'>", "text",
    "<!-- x -->", "<!-- x -- y -->", "<![CDATA[<]]>", "]]>", "<?p x?>", "&lt;", "&x;", "&", "<",
])
# fmt: on


@SLOW
@given(st.lists(PIECES, max_size=5).map("".join))
def test_it_agrees_on_what_is_well_formed(lint: Lint, inside: str) -> None:
    text = f"<r>{inside}</r>"
    done = lint(text, "--noout")
    assert (done.returncode == 0) == (not XmlSyntax().parse(text).check()), done.stderr
