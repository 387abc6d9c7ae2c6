"""What a share amounts to: its own parameters over those it copies over the defaults of [global].

Samba reads from the top: a share starts with what [global] has said so far, so a default further
down does not reach it. A section that comes again adds to the first, but forgets its
`module:option` parameters; those of [global] apply from wherever they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from clusternas.core.fields import Option
from clusternas.core.lens import lens_of

if TYPE_CHECKING:
    from clusternas.samba.model import SambaShare, ShareOptions, SmbConf

__all__ = ["effective"]

Values = dict[str, Any]


def effective(conf: SmbConf) -> Mapping[str, SambaShare]:
    """Each share as Samba sees it, by its name in lower case.

    Values that are written nowhere stay None: they are Samba's own defaults.
    """
    from clusternas.samba.model import SambaShare, ShareOptions, SmbConf, SmbGlobal

    tree = SmbConf.syntax.parse(conf.render())
    inherited, parametric = _fields(ShareOptions)
    defaults: Values = {}
    found: dict[str, Values] = {}
    own: dict[str, Values] = {}
    for node in tree.root.children:
        if node.key == "global":
            defaults |= _set(SmbGlobal.of(node), inherited | parametric)
            continue
        share = SambaShare.of(node)
        name = share.name.lower()
        before = found.get(name, defaults | {"name": share.name})
        source = found.get(share.copy.lower(), {}) if share.copy else {}
        taken = _without(source, {"name", "copy"})
        own[name] = _without(own.get(name, {}), parametric) | _set(share, inherited | parametric)
        found[name] = _without(before, parametric) | taken | own[name]
    wide = {key: value for key, value in defaults.items() if key in parametric}
    return {name: _share(SambaShare, wide | values) for name, values in found.items()}


def _share(model: type[SambaShare], values: Values) -> SambaShare:
    """A share of values that Samba has read, whether or not they could be written again."""
    share = model.__new__(model)
    share.__dict__.update(model(name="share").__dict__ | values)
    return share


def _fields(model: type[ShareOptions]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the plain and of the parametric (`module:option`) fields."""
    fields = lens_of(model).fields.items()
    options = {name: meta for name, meta in fields if isinstance(meta, Option) and not meta.many}
    parametric = frozenset(name for name, meta in options.items() if ":" in meta.spellings[0].key)
    return frozenset(options) - parametric, parametric


def _without(values: Values, names: Set[str]) -> Values:
    return {name: value for name, value in values.items() if name not in names}


def _set(model: ShareOptions, names: Set[str]) -> Values:
    values = ((name, getattr(model, name)) for name in names)
    return {name: value for name, value in values if value is not None}
