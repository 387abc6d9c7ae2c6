# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""`nox` runs what CI runs; `nox -l` lists the rest."""

import os

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typing", "tests", "minimums", "property", "oracles", "docs", "lab"]

PROJECT = nox.project.load_toml("pyproject.toml")
PARALLEL = ("-n", os.environ.get("CLUSTERNAS_TEST_PROCESSES", "2"))


def install(session: nox.Session, *groups: str) -> None:
    """Install the project as it stands, and dependency groups."""
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, import contracts."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """mypy strictly on src, pyright on src and on the types users see."""
    install(session, "typing")
    session.run("mypy")
    session.run("pyright")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Unit tests and the examples in docstrings, on every Python there is."""
    install(session, "tests")
    args = session.posargs or [*PARALLEL, "-m", "not property and not oracle"]
    session.run("pytest", *args)
    if not session.posargs:
        session.run("pytest", "--doctest-modules", "src")


@nox.session
def minimums(session: nox.Session) -> None:
    """Unit tests with the oldest dependencies that pyproject.toml allows."""
    install(session, "tests")
    oldest = [need.replace(">=", "==") for need in PROJECT["project"]["dependencies"]]
    session.install(*oldest)
    session.run("pytest", *PARALLEL, "-m", "not property and not oracle", *session.posargs)


@nox.session
def property(session: nox.Session) -> None:
    """The laws, for every format."""
    install(session, "tests")
    session.run("pytest", *PARALLEL, "tests/property", *session.posargs)


@nox.session
def deep(session: nox.Session) -> None:
    """The laws with a large budget, and drbdadm asked 2,000 times for each version: hours."""
    install(session, "tests")
    budget = {"HYPOTHESIS_PROFILE": "deep", "CLUSTERNAS_ORACLE_EXAMPLES": "2000"}
    paths = session.posargs or ("tests/property", "tests/oracles/test_drbd.py")
    session.run("pytest", *PARALLEL, *paths, env=budget)


@nox.session
def oracles(session: nox.Session) -> None:
    """What we render, judged by the real tools; a missing tool skips its tests."""
    install(session, "tests", "embedders")
    paths = ("tests/oracles", "tests/runners/test_embedders.py")
    session.run("pytest", *PARALLEL, *paths, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Line and branch coverage of the unit and property tests."""
    install(session, "tests", "coverage")
    session.run("coverage", "run", "-m", "pytest", "-m", "not oracle", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation with warnings as errors, and run its examples."""
    install(session, "docs")
    session.run("sphinx-build", "-qnW", "--keep-going", "-b", "html", "docs", "docs/_build/html")
    session.run("pytest", "README.md", "docs", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Time us and the peers on generated inputs, in the same run."""
    install(session, "bench")
    session.run("python", "tests/benchmarks", *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """The article's NAS on two real machines under QEMU; `-- smoke`, or `-- start` and more."""
    install(session)
    unable, to_install = 3, 4
    skipped = [unable] if os.environ.get("CLUSTERNAS_REQUIRE_ORACLES") else [unable, to_install]
    session.run("python", "tests/lab", *(session.posargs or ["smoke"]), success_codes=[0, *skipped])
