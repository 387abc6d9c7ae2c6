"""Laws 2 to 5 for DRBD: what is rendered is read back, and an edit and its undo leave nothing."""

from typing import TypeVar

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.fields import Section
from clusternas.core.lens import lens_of
from clusternas.core.model import Model
from clusternas.core.versions import Toolset
from clusternas.drbd.model import DrbdNet, DrbdResource
from clusternas.testing.strategies import models

TOOLSETS = {"8.3": Toolset.EL6, "8.4": Toolset.DEBIAN12, "9": Toolset.EL9, "any": Toolset.UNKNOWN}
M = TypeVar("M", bound=Model)


def pruned(model: M) -> M:
    """Without the sections that say nothing: they are not written."""
    values = {}
    for name, meta in lens_of(type(model)).fields.items():
        value = getattr(model, name)
        if isinstance(meta, Section) and meta.many:
            values[name] = [pruned(each) for each in value]
        elif isinstance(meta, Section) and value is not None:
            inside = pruned(value)
            values[name] = None if inside == type(inside)() else inside
    return evolve(model, **values)


@pytest.mark.parametrize("name", TOOLSETS)
@given(data=st.data())
def test_what_is_rendered_is_read_back(name: str, data: st.DataObject) -> None:
    toolset = TOOLSETS[name]
    resource = pruned(data.draw(models(DrbdResource, toolset)))
    text = resource.render(toolset)
    again = DrbdResource.parse(text)
    assert pruned(again) == resource
    assert again.render() == text
    assert again.render(toolset) == text


@given(models(DrbdResource, Toolset.UNKNOWN), models(DrbdNet, Toolset.UNKNOWN))
def test_an_edit_and_its_undo_leave_nothing(resource: DrbdResource, net: DrbdNet) -> None:
    resource = pruned(resource)
    read = DrbdResource.parse(f"# above\n{resource.render()}# below\n")
    changed = DrbdResource.parse(evolve(read, net=net).render())
    assert pruned(changed) == pruned(evolve(resource, net=net))
    undone = evolve(changed, net=read.net).render()
    assert undone.startswith("# above\n")
    assert undone.endswith("# below\n")
    assert pruned(DrbdResource.parse(undone)) == resource


@given(models(DrbdResource, Toolset.UNKNOWN), st.sampled_from(sorted(TOOLSETS)))
def test_validation_never_fails(resource: DrbdResource, name: str) -> None:
    DrbdResource.parse(resource.render()).validate(TOOLSETS[name])
    resource.validate(TOOLSETS[name])
