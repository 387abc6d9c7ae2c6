"""What libmount reads from a fstab is what we read: `findmnt --fstab`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.fstab.model import Fstab, FstabEntry

COLUMNS = "SOURCE,TARGET,FSTYPE,OPTIONS,FREQ,PASSNO"


@pytest.fixture(scope="module")
def findmnt(oracle) -> str:
    return oracle("findmnt", package="util-linux")


def read_by_libmount(findmnt: str, path: Path, text: str) -> list[FstabEntry]:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = subprocess.run(
        [findmnt, "--fstab", "-F", str(path), "-J", "-o", COLUMNS, "--list"],
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    if not done.stdout.strip():
        return []
    rows = json.loads(done.stdout)["filesystems"]
    return [
        FstabEntry(
            source=row["source"],
            mount_point=row["target"],
            fstype=row["fstype"],
            options=tuple((row["options"] or "defaults").split(",")),
            dump=row["freq"],
            passno=row["passno"],
        )
        for row in rows
    ]


def read_by_us(text: str) -> list[FstabEntry]:
    """The lines that are whole, with the values that libmount takes for what is left out."""
    return [
        FstabEntry(
            source=entry.source,
            mount_point=entry.mount_point,
            fstype=entry.fstype,
            options=entry.options or ("defaults",),
            dump=entry.dump or 0,
            passno=entry.passno or 0,
        )
        for entry in Fstab.parse(text).entries
        if entry.fstype
    ]


@pytest.mark.parametrize(
    "text",
    [
        "UUID=cdf6fd4a-4cb2-7883-e207-5477e44d688e /opt              gfs2      defaults      0 0\n",
        "# a\n\n  # b\n a /b c\n",
        "a /b c d 1 2 # note\r\nx /y z\r\n",
        "a\\040b /c\\011d e\\134f g,h=i\\054j 0 0",
        "a /b\nc /d e\n",
        'LABEL="x" /b c\\x,\\04 0 0\n',
        "a /b c d 01 +2 3 4 5",
        "a /b c\td\t1\n",
        "a\x0b /b\x0c c\xa0 d\x85\n",
    ],
)
def test_libmount_reads_the_same(findmnt: str, tmp_path: Path, text: str) -> None:
    assert read_by_us(text) == read_by_libmount(findmnt, tmp_path / "fstab", text)


WORDS = st.text(st.sampled_from("ab/=\\04#\"'é.,-: \t"), min_size=1, max_size=8)
ENTRIES = st.builds(
    FstabEntry,
    source=WORDS,
    mount_point=WORDS,
    fstype=WORDS,
    options=st.lists(st.text(st.sampled_from("ab=/ \\#"), min_size=1, max_size=6), min_size=1),
    dump=st.integers(0, 9),
    passno=st.integers(0, 9),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRIES, min_size=1, max_size=20))
def test_libmount_reads_what_we_write(
    findmnt: str, tmp_path: Path, entries: list[FstabEntry]
) -> None:
    text = Fstab(entries=entries).render()
    assert read_by_libmount(findmnt, tmp_path / "fstab", text) == read_by_us(text)
    assert read_by_us(text) == [
        FstabEntry(
            source=each.source,
            mount_point=each.mount_point,
            fstype=each.fstype,
            options=tuple(",".join(each.options).split(",")),
            dump=each.dump,
            passno=each.passno,
        )
        for each in entries
    ]
