"""Names and types of DNS as the tools take them."""

from __future__ import annotations

import re

from clusternas.core.errors import ValidationError

__all__ = ["RECORD_TYPES", "dns_name", "record_type", "same_name"]

LABEL = r"[A-Za-z0-9_*][A-Za-z0-9_/-]{0,62}"
NAME = re.compile(rf"\.|{LABEL}(?:\.{LABEL})*\.?", re.ASCII)
TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}")
LONGEST = 254
RECORD_TYPES = frozenset(
    """
    A A6 AAAA AFSDB AMTRELAY APL ATMA AVC CAA CDNSKEY CDS CERT CNAME CSYNC DHCID DLV DNAME DNSKEY
    DOA DS EID EUI48 EUI64 GID GPOS HINFO HIP HTTPS IPSECKEY ISDN KEY KX L32 L64 LOC LP MB MD MF
    MG MINFO MR MX NAPTR NID NIMLOC NINFO NS NSAP NSAP-PTR NSEC NSEC3 NSEC3PARAM NULL NXT
    OPENPGPKEY PTR PX RESINFO RKEY RP RRSIG RT SIG SINK SMIMEA SOA SPF SRV SSHFP SVCB TA TALINK
    TLSA TXT UID UINFO UNSPEC URI WALLET WKS X25 ZONEMD
    """.split()
)
"""What named 9.18 reads in a zone file, besides `TYPE` and a number."""


def dns_name(value: str, what: str = "DNS name") -> str:
    """Check a name that goes to a tool or into a script.

    Labels have up to 63 characters, the name up to 253 and a final dot (RFC 1035 section 2.3.4).

    Raises:
        ValidationError: it is no such name.

    Example:
        >>> dns_name("cluster.lab.test.")
        'cluster.lab.test.'
    """
    if len(value) > LONGEST or not NAME.fullmatch(value):
        raise ValidationError(f"not a {what}: {value!r}", hint="labels of letters, digits, - and _")
    return value


def record_type(value: str) -> str:
    """Check a record type, like `A` or `TYPE65280`; it comes back in upper case."""
    if not TYPE.fullmatch(value):
        raise ValidationError(
            f"not a record type: {value!r}", hint="like A, AAAA, SRV or TYPE65280"
        )
    return value.upper()


def same_name(one: str, other: str) -> bool:
    """Whether two absolute names are the same: case does not count, nor a missing final dot."""
    return one.rstrip(".").lower() == other.rstrip(".").lower()
