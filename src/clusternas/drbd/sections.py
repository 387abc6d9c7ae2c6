"""The sections of options: net, disk, options, startup, handlers, proxy, global.

Every field is an option of drbd.conf(5); its unit, range and default are in `drbd.options`. Where
8.3 or 8.4 spell it otherwise or elsewhere (`syncer { rate 33M; }`), it is read and written there.
"""

# ruff: noqa: RUF009 - these calls declare fields, as attrs.field() does
from __future__ import annotations

from functools import partial

import attrs

from clusternas.core.fields import option
from clusternas.core.model import Model
from clusternas.core.syntax.blocks import DrbdSyntax
from clusternas.core.syntax.tree import Node
from clusternas.drbd.declare import declared
from clusternas.drbd.quantity import Quantity
from clusternas.drbd.words import words

__all__ = [
    "DrbdDisk",
    "DrbdGlobal",
    "DrbdHandlers",
    "DrbdModel",
    "DrbdNet",
    "DrbdOptions",
    "DrbdProxy",
    "DrbdStartup",
]

_net = partial(declared, "net")
_disk = partial(declared, "disk")
_options = partial(declared, "options")
_startup = partial(declared, "startup")
_handlers = partial(declared, "handlers")
_global = partial(declared, "global")
_proxy = partial(declared, "proxy")


class DrbdModel(Model):
    """Base of everything in drbd.conf."""

    syntax = DrbdSyntax()
    tool = "drbd"

    def statement_of(self, field: str = "") -> Node | None:
        """The statement of a field where it stands in the text, else that of the model itself."""
        source = self._source
        if source is None:
            return None
        source.values()
        places = source.where.get(field)
        nodes = [place.node for place in places] if places else source.nodes
        return nodes[-1] if nodes else None

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Everything: the grammar of each generation reports what it does not know, as DRBD010."""
        return True


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdNet(DrbdModel):
    """`net { … }`: the link between two nodes."""

    secret_fields = frozenset({"shared_secret"})

    protocol: str | None = _net("protocol")
    transport: str | None = _net("transport")
    timeout: Quantity | None = _net("timeout")
    ping_timeout: Quantity | None = _net("ping-timeout")
    connect_int: Quantity | None = _net("connect-int")
    ping_int: Quantity | None = _net("ping-int")
    max_epoch_size: int | None = _net("max-epoch-size")
    max_buffers: int | None = _net("max-buffers")
    unplug_watermark: int | None = _net("unplug-watermark")
    ko_count: int | None = _net("ko-count")
    sndbuf_size: Quantity | None = _net("sndbuf-size")
    rcvbuf_size: Quantity | None = _net("rcvbuf-size")
    allow_two_primaries: bool | None = _net("allow-two-primaries")
    always_asbp: bool | None = _net("always-asbp")
    cram_hmac_alg: str | None = _net("cram-hmac-alg")
    shared_secret: str | None = _net("shared-secret")
    data_integrity_alg: str | None = _net("data-integrity-alg")
    verify_alg: str | None = _net("verify-alg")
    csums_alg: str | None = _net("csums-alg")
    csums_after_crash_only: bool | None = _net("csums-after-crash-only")
    use_rle: bool | None = _net("use-rle")
    after_sb_0pri: str | None = _net("after-sb-0pri")
    after_sb_1pri: str | None = _net("after-sb-1pri")
    after_sb_2pri: str | None = _net("after-sb-2pri")
    rr_conflict: str | None = _net("rr-conflict")
    tcp_cork: bool | None = _net("tcp-cork")
    on_congestion: str | None = _net("on-congestion")
    congestion_fill: Quantity | None = _net("congestion-fill")
    congestion_extents: int | None = _net("congestion-extents")
    socket_check_timeout: int | None = _net("socket-check-timeout")
    fencing: str | None = _net("fencing")
    allow_remote_read: bool | None = _net("allow-remote-read")
    tls: bool | None = _net("tls")
    tls_keyring: str | None = _net("tls-keyring")
    tls_privkey: str | None = _net("tls-privkey")
    tls_certificate: str | None = _net("tls-certificate")
    load_balance_paths: bool | None = _net("load-balance-paths")
    rdma_ctrl_rcvbuf_size: Quantity | None = _net("rdma-ctrl-rcvbuf-size")
    rdma_ctrl_sndbuf_size: Quantity | None = _net("rdma-ctrl-sndbuf-size")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdDisk(DrbdModel):
    """`disk { … }`: the backing device, and the resync of it."""

    size: Quantity | None = _disk("size")
    on_io_error: str | None = _disk("on-io-error")
    disk_barrier: bool | None = _disk("disk-barrier")
    disk_flushes: bool | None = _disk("disk-flushes")
    disk_drain: bool | None = _disk("disk-drain")
    md_flushes: bool | None = _disk("md-flushes")
    use_bmbv: bool | None = _disk("use-bmbv")
    max_bio_bvecs: int | None = _disk("max-bio-bvecs")
    disk_timeout: Quantity | None = _disk("disk-timeout")
    resync_after: str | None = _disk("resync-after")
    al_extents: int | None = _disk("al-extents")
    al_updates: bool | None = _disk("al-updates")
    discard_zeroes_if_aligned: bool | None = _disk("discard-zeroes-if-aligned")
    disable_write_same: bool | None = _disk("disable-write-same")
    read_balancing: str | None = _disk("read-balancing")
    rs_discard_granularity: Quantity | None = _disk("rs-discard-granularity")
    resync_rate: Quantity | None = _disk("resync-rate")
    c_plan_ahead: Quantity | None = _disk("c-plan-ahead")
    c_delay_target: Quantity | None = _disk("c-delay-target")
    c_fill_target: Quantity | None = _disk("c-fill-target")
    c_max_rate: Quantity | None = _disk("c-max-rate")
    c_min_rate: Quantity | None = _disk("c-min-rate")
    bitmap: bool | None = _disk("bitmap")
    max_bio_size: Quantity | None = _disk("max-bio-size")
    diskless: bool | None = _disk("diskless")
    block_size: Quantity | None = _disk("block-size")
    discard_granularity: Quantity | None = _disk("discard-granularity")
    resync_without_replication: bool | None = _disk("resync-without-replication")
    peer_tiebreaker: bool | None = _disk("peer-tiebreaker")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdOptions(DrbdModel):
    """`options { … }`: the resource as a whole."""

    cpu_mask: str | None = _options("cpu-mask")
    on_no_data_accessible: str | None = _options("on-no-data-accessible")
    auto_promote: bool | None = _options("auto-promote")
    auto_promote_timeout: Quantity | None = _options("auto-promote-timeout")
    peer_ack_window: Quantity | None = _options("peer-ack-window")
    peer_ack_delay: Quantity | None = _options("peer-ack-delay")
    twopc_timeout: Quantity | None = _options("twopc-timeout")
    twopc_retry_timeout: Quantity | None = _options("twopc-retry-timeout")
    max_io_depth: int | None = _options("max-io-depth")
    quorum: str | None = _options("quorum")
    on_no_quorum: str | None = _options("on-no-quorum")
    quorum_minimum_redundancy: str | None = _options("quorum-minimum-redundancy")
    on_suspended_primary_outdated: str | None = _options("on-suspended-primary-outdated")
    drbd8_api_compatibility: bool | None = _options("drbd8-api-compatibility")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdStartup(DrbdModel):
    """`startup { … }`: what to wait for at boot. DRBD 9 ignores `become-primary-on`."""

    wfc_timeout: Quantity | None = _startup("wfc-timeout")
    degr_wfc_timeout: Quantity | None = _startup("degr-wfc-timeout")
    outdated_wfc_timeout: Quantity | None = _startup("outdated-wfc-timeout")
    wait_after_sb: bool | None = _startup("wait-after-sb")
    become_primary_on: tuple[str, ...] | None = option(
        codec=words("both, or names of hosts"), doc="hosts that become primary at boot, or both"
    )
    stacked_timeouts: bool | None = _startup("stacked-timeouts")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdHandlers(DrbdModel):
    """`handlers { … }`: programs that the module calls; a command with arguments is one text."""

    pri_on_incon_degr: str | None = _handlers("pri-on-incon-degr")
    pri_lost_after_sb: str | None = _handlers("pri-lost-after-sb")
    pri_lost: str | None = _handlers("pri-lost")
    initial_split_brain: str | None = _handlers("initial-split-brain")
    split_brain: str | None = _handlers("split-brain")
    fence_peer: str | None = _handlers("fence-peer", "outdate-peer")
    unfence_peer: str | None = _handlers("unfence-peer")
    local_io_error: str | None = _handlers("local-io-error")
    before_resync_target: str | None = _handlers("before-resync-target")
    after_resync_target: str | None = _handlers("after-resync-target")
    before_resync_source: str | None = _handlers("before-resync-source")
    out_of_sync: str | None = _handlers("out-of-sync")
    quorum_lost: str | None = _handlers("quorum-lost")
    disconnected: str | None = _handlers("disconnected")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdProxy(DrbdModel):
    """`proxy { … }`: options of DRBD Proxy; its plugins are kept as they are."""

    memlimit: Quantity | None = _proxy("memlimit")
    read_loops: int | None = _proxy("read-loops")
    compression: str | None = _proxy("compression")
    bwlimit: Quantity | None = _proxy("bwlimit")
    sndbuf_size: Quantity | None = _proxy("sndbuf-size")
    rcvbuf_size: Quantity | None = _proxy("rcvbuf-size")
    ping_timeout: Quantity | None = _proxy("ping-timeout")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdGlobal(DrbdModel):
    """`global { … }`: drbdadm itself; once in a configuration, before all else."""

    usage_count: str | None = _global("usage-count")
    minor_count: int | None = _global("minor-count")
    dialog_refresh: Quantity | None = _global("dialog-refresh")
    disable_ip_verification: bool | None = _global("disable-ip-verification")
    udev_always_use_vnr: bool | None = _global("udev-always-use-vnr")
    cmd_timeout_short: Quantity | None = _global("cmd-timeout-short")
    cmd_timeout_medium: Quantity | None = _global("cmd-timeout-medium")
    cmd_timeout_long: Quantity | None = _global("cmd-timeout-long")
