"""The filter simulator, on the cases that tests/oracles/test_lvm.py asks LVM about."""

from __future__ import annotations

import pytest

from clusternas.core.errors import ValidationError
from clusternas.lvm.filter import DeviceFilter, Pattern, scanned

BACKING = ["/dev/vda3", "/dev/disk/by-id/virtio-1-part3", "/dev/disk/by-path/pci-0-part3"]


def test_the_right_filter_hides_the_backing_device() -> None:
    right = DeviceFilter(["a|^/dev/drbd.*|", "r|.*|"])
    assert right.accepts(["/dev/drbd1", "/dev/drbd/by-res/r0"])
    assert not right.accepts(BACKING)


def test_no_match_accepts() -> None:
    assert DeviceFilter().accepts(BACKING)
    assert DeviceFilter(["a|drbd.*|", "a|sda.*|"]).accepts(BACKING)


def test_one_accepted_name_is_enough() -> None:
    leaky = DeviceFilter(["a|by-id|", "r|.*|"])
    assert leaky.accepts(BACKING)
    assert not leaky.accepts(BACKING[:1])


def test_unanchored_patterns_match_anywhere() -> None:
    careless = DeviceFilter(["a|drbd|", "r|.*|"])
    assert careless.accepts(["/dev/disk/by-partlabel/drbd-backing"])
    assert not careless.patterns[0].anchored
    assert careless.patterns[1].anchored


def test_the_first_match_decides() -> None:
    found = DeviceFilter(["r|vda3|", "a|vda|"])
    assert not found.accepts(["/dev/vda3"])
    decided = found.decides("/dev/vda1")
    assert decided is not None
    assert decided.accept


def test_both_filters_have_to_accept() -> None:
    everything, nothing = DeviceFilter(["a|.*|"]), DeviceFilter(["r|.*|"])
    assert scanned(BACKING, everything)
    assert not scanned(BACKING, everything, nothing)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("r|sd[^xz]|", "sdy", True),
        ("r|sd{1}|", "sd{1}", True),
        ("r|sd{1}|", "sd", False),
        ("r|s**d|", "ssd", True),
        ("r|s+?d$|", "d", True),
        ("r|[]x]|", "x", False),
        ("r|[^]x|", "ax", True),
        (r"r|sd\x|", "sdx", True),
        (r"r|a[\]]b|", "a]b", True),
        (r"r|\.|", "sdx", False),
        ("r(sd|x)", "x", True),
        ("r{sdx}", "sdx", True),
        ("r[sdx]", "sdx", True),
        ("r|SDX|", "sdx", False),
    ],
)
def test_expressions_of_device_mapper(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern).matches(name) is matches


@pytest.mark.parametrize("bad", ["", "a", "x|a|", "a|sd", "r||", "r|*|", "r|[|", "r|(|", " a|b|"])
def test_patterns_that_lvm_refuses(bad: str) -> None:
    with pytest.raises(ValidationError):
        Pattern(bad)
