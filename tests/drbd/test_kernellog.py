"""When a link was lost, from lines that real machines wrote."""

from clusternas.core.command import Output
from clusternas.drbd.kernellog import decode_link_lost

# 8.4.11, of a split brain, with the times that journalctl writes in place of the kernel's own.
EIGHT = """\
1000.1 nas1 kernel: block drbd1: peer( Unknown -> Secondary ) conn( WFReportParams -> Connected ) \
pdsk( DUnknown -> Inconsistent )
1001.1 nas1 kernel: block drbd1: conn( Connected -> WFBitMapT )
1002.1 nas1 kernel: block drbd1: conn( SyncTarget -> Connected ) disk( Inconsistent -> UpToDate )
{lost}
1004.1 nas1 kernel: drbd r0: conn( NetworkFailure -> Unconnected )
1005.1 nas1 kernel: drbd r0: conn( Unconnected -> WFConnection )
1006.1 nas1 kernel: drbd r0: conn( WFConnection -> WFReportParams )
1007.1 nas1 kernel: block drbd1: Split-Brain detected but unresolved, dropping connection!
1008.1 nas1 kernel: drbd r0: conn( WFReportParams -> NetworkFailure )
1009.1 nas1 kernel: drbd r0: conn( NetworkFailure -> Disconnecting )
1010.1 nas1 kernel: drbd r0: conn( Disconnecting -> StandAlone )
"""
LOST = """\
1003.1 nas1 kernel: drbd r0: peer( Primary -> Unknown ) conn( Connected -> NetworkFailure ) \
pdsk( UpToDate -> DUnknown ) susp( 0 -> 1 )"""

# DRBD 9: linked again for the handshake, which finds the split brain.
NINE = """\
1000.1 nas1 kernel: drbd r0 nas2: conn( Connecting -> Connected ) peer( Unknown -> Secondary )
1000.2 nas1 kernel: drbd r0/0 drbd1 nas2: pdsk( DUnknown -> UpToDate ) repl( Off -> Established )
1003.5 nas1 kernel: drbd r0 nas2: conn( Connected -> NetworkFailure ) peer( Primary -> Unknown )
1003.6 nas1 kernel: drbd r0/0 drbd1 nas2: pdsk( UpToDate -> DUnknown ) repl( Established -> Off )
1006.1 nas1 kernel: drbd r0 nas2: conn( Connecting -> Connected ) peer( Unknown -> Primary )
1006.2 nas1 kernel: drbd r0/0 drbd1 nas2: Split-Brain detected but unresolved, dropping connection!
1006.3 nas1 kernel: drbd r0 nas2: conn( Connected -> Disconnecting ) peer( Primary -> Unknown )
"""


def lost(text: str, resource: str = "r0") -> float | None:
    return decode_link_lost(Output(stdout=text.encode()), resource=resource)


def test_the_link_is_lost_where_data_went_over_it() -> None:
    assert lost(EIGHT.format(lost=LOST)) == 1003.1
    assert lost(NINE) == 1003.6


def test_the_last_loss_counts() -> None:
    again = LOST.replace("1003.1", "1020.5").replace("NetworkFailure", "Timeout")
    assert lost(EIGHT.format(lost=LOST) + again) == 1020.5


def test_a_log_that_does_not_say_is_no_time() -> None:
    assert lost("-- No entries --\n") is None
    assert lost(EIGHT.format(lost="")) is None
    assert lost(NINE, "r") is None
    assert lost(EIGHT.format(lost=LOST), "r1") is None
