"""What the tools of the real machines print in each state: tests/data/lab has it afterwards.

The decoders and the fake nodes of `clusternas.testing` are held against it: a file put there is
compared with the scene of that name in tests/testing/conftest.py, which every state recorded here
must have.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from clusterlab.lab import Lab
from clusternas.core.batch import batch
from clusternas.core.command import Command, Effect, Runner, text
from clusternas.core.errors import CommandError

__all__ = ["COMMANDS", "record"]

COMMANDS = """
    cat /proc/drbd
    drbdadm status
    drbdsetup status --verbose --statistics
    drbdsetup events2 --now
    drbdsetup show
    drbdadm dump
    drbdadm dump-xml
    drbdadm get-gi r0
    drbdadm sh-resources
    drbdadm role r0
    drbdadm cstate r0
    drbdadm dstate r0
    corosync-quorumtool -s
    corosync-quorumtool -l
    corosync-cfgtool -s
    corosync-cfgtool -n
    corosync-cmapctl
    corosync-cpgtool
    dlm_tool ls
    dlm_tool status
    pvs --reportformat json --units b --nosuffix
    vgs --reportformat json --units b --nosuffix
    lvs --reportformat json --units b --nosuffix
    lvmlockctl -i
    lvmconfig
    lsblk -J
    findmnt -J
    mount
    findmnt -J -o TARGET,SOURCE,FSTYPE,OPTIONS /opt
    ctdb status
    ctdb status -X
    ctdb ip -X
    ctdb nodestatus all
    ctdb listnodes -X
    testparm -s
    systemctl is-active corosync dlm lvmlockd ctdb smbd named
""".strip().splitlines()
PATIENCE = 20.0
"""Seconds for each: with a lock space stopped some wait for ever; their exit code is 124 then.

None of them may read a device: while its I/O is suspended, what reads it cannot be ended.
"""


def record(lab: Lab, state: str, folder: Path) -> None:
    """Write a file for every machine that answers: `STATE.MACHINE.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for machine in lab:
        if machine.pid() is not None:
            path = folder / f"{state}.{machine.name}.json"
            path.write_text(json.dumps(_answers(machine.runner()), indent=1) + "\n")


def _answers(runner: Runner) -> list[dict[str, object]]:
    asked = [line.strip() for line in COMMANDS]
    commands: list[Command[object]] = [
        Command(tuple(shlex.split(line)), text, effect=Effect.READ, timeout=PATIENCE)
        for line in asked
    ]
    try:
        outputs = runner.run(batch(commands)).value
    except CommandError as error:
        return [{"command": "", "exit_code": 255, "stdout": "", "stderr": str(error)}]
    return [
        {
            "command": line,
            "exit_code": output.exit_code,
            "stdout": output.text,
            "stderr": output.error_text,
        }
        for line, output in zip(asked, outputs, strict=True)
    ]
