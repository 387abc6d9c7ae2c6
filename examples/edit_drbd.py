"""Let a DRBD resource be primary on both nodes, and cut off the other node when it is lost.

    python edit_drbd.py /etc/drbd.d/r0.res 8.4 /usr/local/sbin/fence-peer            # shows
    python edit_drbd.py /etc/drbd.d/r0.res 8.4 /usr/local/sbin/fence-peer --write    # writes

Everything else in the file stays as it is, to the byte. The version of DRBD decides the spelling.
"""

import argparse

from attrs import evolve

from clusternas import DrbdResource, Toolset
from clusternas.core.report import to_text
from clusternas.drbd.model import DrbdHandlers, DrbdNet


def dual_primary(resource: DrbdResource, fence_peer: str) -> DrbdResource:
    net = resource.net or DrbdNet()
    handlers = resource.handlers or DrbdHandlers()
    return evolve(
        resource,
        net=evolve(net, allow_two_primaries=True, fencing="resource-and-stonith"),
        handlers=evolve(handlers, fence_peer=fence_peer),
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("version", help="of DRBD: 8.3, 8.4, 9")
    parser.add_argument("fence_peer", help="what outdates or kills the other node")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(argv)

    resource = dual_primary(DrbdResource.read(options.file), options.fence_peer)
    tools = Toolset(drbd=options.version)
    print(resource.diff(tools) or "nothing to change")
    print(to_text(resource.validate(tools)))
    if options.write:
        resource.write(toolset=tools)
        print(f"written; now run on both nodes: {resource.adjust()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
