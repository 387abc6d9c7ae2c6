"""Fail a CI job for new mistakes in the configuration of a cluster, and only for new ones.

    python lint_etc.py machines/ findings.sarif accepted.txt

`machines/` holds a folder for every node, each with an `etc`. `accepted.txt` lists the findings
that were there before, one a line as they are printed here; it may be missing or empty.
"""

import sys
from pathlib import Path

from clusternas import Diagnostic, NasCluster, Severity
from clusternas.core.report import to_sarif


def name(finding: Diagnostic) -> str:
    """The finding without its line number, which moves when others are mended."""
    return f"{finding.code} {finding.path or finding.node}: {finding.message}"


def main(machines: str, report: str, accepted: str) -> int:
    found = NasCluster.from_etc(machines).check()
    Path(report).write_text(to_sarif(found), encoding="utf-8")
    known = Path(accepted).read_text("utf-8").splitlines() if Path(accepted).exists() else []
    new = [
        finding
        for finding in found
        if finding.severity is not Severity.NOTE and name(finding) not in known
    ]
    print(*dict.fromkeys(map(name, new)), sep="\n")
    return 1 if new else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
