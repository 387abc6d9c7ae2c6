"""Every shell there is."""

import shutil

import pytest
from shells import Shell


@pytest.fixture(
    params=[("dash",), ("bash", "--posix"), ("busybox", "sh"), ("mksh",), ("posh",)],
    ids=lambda words: words[0],
)
def shell(request: pytest.FixtureRequest) -> Shell:
    if not shutil.which(request.param[0]):
        pytest.skip(f"{request.param[0]} is not installed")
    return Shell(request.param)


@pytest.fixture
def plain() -> Shell:
    return Shell(("sh",))
