"""The superblock reader, on blocks of real file systems kept in tests/data/gfs2."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Command, Output, Result
from clusternas.core.errors import ParseError
from clusternas.gfs2 import commands, status
from clusternas.gfs2.superblock import SUPERBLOCK_OFFSET, journal_count, parse_superblock

IMAGES = json.loads(
    (Path(__file__).parents[1] / "data" / "gfs2" / "3.5.0" / "images.json").read_text()
)
image = pytest.mark.parametrize("name", IMAGES)


class Image:
    """A device of which only some blocks are known."""

    def __init__(self, name: str) -> None:
        blocks = IMAGES[name]["blocks"]
        self.blocks = {
            int(at): zlib.decompress(base64.b64decode(data)) for at, data in blocks.items()
        }

    def read(self, offset: int, length: int) -> bytes:
        return self.blocks.get(offset, b"")[:length]

    def run(self, command: Command) -> Result:
        options = dict(word.partition("=")[::2] for word in command.argv[1:])
        size = int(options["bs"])
        data = self.read(int(options["skip"]) * size, int(options["count"]) * size)
        return command.result(Output(0, data))


@image
def test_superblock_and_journals(name: str) -> None:
    device = Image(name)
    found = parse_superblock(device.read(SUPERBLOCK_OFFSET, 512))
    assert (found.lock_proto, found.lock_table) == ("lock_dlm", "NASCluster:opt")
    assert (found.cluster, found.fs_name) == ("NASCluster", "opt")
    assert found.uuid == "cdf6fd4a-4cb2-7883-e207-5477e44d688e"
    assert (found.fs_format, found.multihost_format) == (1802, 1900)
    assert found.block_size == IMAGES[name]["block_size"]
    assert journal_count(device.read) == IMAGES[name]["journals"]


@image
def test_journals_by_commands_alone(name: str) -> None:
    assert commands.read_journal_count("/dev/vg/lv", Image(name)) == IMAGES[name]["journals"]


def inspected(name: str) -> status.OnDisk | None:
    device = Image(name)
    head = device.read(SUPERBLOCK_OFFSET, 512)
    found = parse_superblock(head)
    start = found.master_block * found.block_size
    near = [start + step * found.block_size for step in range(4)]
    return status.on_disk(
        Output(0, head + b"".join(map(device.blocks.get, filter(device.blocks.get, near))))
    )


def test_one_read_is_enough_with_large_blocks() -> None:
    found = inspected("two-journals-4096")
    assert found is not None
    assert found.journals == 2
    assert found.superblock.lock_table == "NASCluster:opt"


def test_one_read_is_not_enough_with_small_blocks() -> None:
    found = inspected("twelve-journals-512-hashed")
    assert found is not None
    assert found.journals is None


def test_no_file_system() -> None:
    for data in (b"", bytes(512), b"x" * 512):
        assert status.superblock(Output(0, data)) is None
        assert status.on_disk(Output(0, data)) is None
        with pytest.raises(ParseError):
            parse_superblock(data)


@given(st.data())
def test_damaged_disks_raise_parse_errors_only(data: st.DataObject) -> None:
    device = Image(data.draw(st.sampled_from(sorted(IMAGES))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.sampled_from(sorted(device.blocks)))
        block = bytearray(device.blocks[at])
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
        device.blocks[at] = bytes(
            block[: data.draw(st.sampled_from([len(block), len(block) // 2]))]
        )
    with contextlib.suppress(ParseError):
        assert journal_count(device.read) >= 0
