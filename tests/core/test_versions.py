"""`Toolset` and the reader of version banners."""

import pytest

from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset, parse_version


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("8.4.11", "8.4.11"),
        ("2.03.11(2) (2021-01-08)", "2.3.11"),
        ("2.02.98-RHEL6", "2.2.98"),
        ("4.18.0-Debian", "4.18.0"),
        ("3.5.4-0ubuntu1~20.04.1", "3.5.4"),
        ("3.1.0.12-abcd", "3.1.0.12"),
        ("Version 4.23.0pre1-GIT-abc", "4.23.0"),
        ("Corosync Cluster Engine, version '3.1.7'", "3.1.7"),
        ("8.4.0rc1", "8.4.0"),
        ("9", "9"),
    ],
)
def test_reads_the_banner(banner: str, version: str) -> None:
    assert str(parse_version(banner)) == version


def test_no_number_says_what_to_write() -> None:
    with pytest.raises(ValidationError, match="no version number in 'unknown'") as caught:
        Toolset(drbd="unknown")
    assert "8.4" in caught.value.hint


def test_a_release_candidate_speaks_the_new_spelling() -> None:
    assert Toolset(drbd="8.4.0rc1").has("drbd", since="8.4")


def test_until_is_exclusive() -> None:
    toolset = Toolset(drbd="8.4")
    assert not toolset.has("drbd", until="8.4")
    assert toolset.has("drbd", since="8.4", until="9")


def test_an_unknown_tool_has_everything() -> None:
    assert Toolset.UNKNOWN.has("drbd", since="99")
    assert Toolset.UNKNOWN.version("drbd") is None


def test_unknown_init_is_refused() -> None:
    with pytest.raises(ValidationError, match="upstart"):
        Toolset(init="upstart")
