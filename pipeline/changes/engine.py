"""Compare two states of an environment: the change of each resource, and the fate of its data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pipeline.changes.causes import Tracer
from pipeline.changes.change import Action, Cause, Change, Fate
from pipeline.changes.differences import MISSING, covers, differences, is_same, value_at
from pipeline.changes.renaming import renamed
from pipeline.changes.state import STACK, Evaluated, Resource, State, evaluate
from pipeline.changes.updates import facts
from pipeline.changes.updates.fates import fate_of_deletion, fate_of_replacement, overwritten
from pipeline.changes.updates.protection import is_protected, protection_lost
from pipeline.changes.updates.refusals import refusals
from pipeline.changes.updates.schemas import updates
from pipeline.cost.change import CostChange, cost_change
from pipeline.template.references import Name, tokens

_ORDER = {action: position for position, action in enumerate(Action)}


def compare(before: State, after: State) -> list[Change]:
    """Every resource that changes, the most serious change first. Nested stacks appear only as their resources.

    Raises PipelineError for a state that cannot be evaluated.
    """
    return sorted_changes(Comparison(evaluate(before), evaluate(after)).changes())


def sorted_changes(changes: Iterable[Change]) -> list[Change]:
    """Changes that lose data first, then by action and name."""
    return sorted(
        changes, key=lambda change: (not change.loses, _ORDER[change.action], change.name)
    )


@dataclass
class Comparison:
    """Two evaluated states. ``moved`` are the resources whose Ref and attributes change."""

    before: Evaluated
    after: Evaluated
    replaced: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    maybe: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    moving: dict[Name, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tracer = Tracer(self.before, self.after)
        self.remaining = [name for name in self.after.resources if name in self.before.resources]
        self.own = {name: list(self._differences(name)) for name in self.remaining}
        self.references = {
            name: {
                key: frozenset(tokens(value))
                for key, value in self.after.resources[name].properties.items()
            }
            for name in self.remaining
        }
        while self._spread():
            pass

    def changes(self) -> Iterator[Change]:
        """The changes of all resources."""
        pairs = renamed(self.before, self.after)
        for name, resource in self.before.resources.items():
            if name not in self.after.resources and resource.kind != STACK:
                yield replace(self._removal(resource), renamed=pairs.get(name))
        backwards = {new: old for old, new in pairs.items()}
        for name, resource in self.after.resources.items():
            if resource.kind == STACK:
                continue
            change = self._kept(resource) if name in self.before.resources else self._new(resource)
            if change:
                yield replace(change, renamed=backwards.get(name))

    def cost(self, region: str) -> CostChange:
        """The monthly cost before and after."""
        before, after = (side.resources.values() for side in (self.before, self.after))
        return cost_change(before, after, region)

    def paths(self, name: Name) -> list[str]:
        """The properties of a resource that change: by their text, or because a resource that they refer to changes."""
        followed = [
            key
            for key, found in self.references[name].items()
            if any(self._moves(*each) for each in found)
            and not any(covers(path, key) for path in self.own[name])
        ]
        return [*self.own[name], *followed]

    def _differences(self, name: Name) -> Iterator[str]:
        one, other = self.before.resources[name], self.after.resources[name]
        # Most resources are equal; the comparison by path takes most of the engine's time.
        if one.kind != STACK and one.properties != other.properties:
            yield from differences(one.properties, other.properties)

    def _moves(self, name: Name, attribute: str | None) -> bool:
        if name in self.replaced:
            return attribute is None or not self._repeats(name, attribute)
        return attribute is not None and attribute in self.moving.get(name, ())

    def _repeats(self, name: Name, attribute: str) -> bool:
        """Whether an attribute is a property that does not change, such as the zone of a subnet."""
        one, other = (
            value_at(side.resources[name].properties, attribute)
            for side in (self.before, self.after)
        )
        return MISSING not in (one, other) and attribute not in self.own[name]

    def _spread(self) -> bool:
        """Follow replacements one step; returns whether another resource is replaced, or moves, because of them."""
        size = len(self.replaced), len(self.maybe), len(self.moving)
        for name in self.remaining:
            resource = self.after.resources[name]
            if resource.kind == STACK or name in self.replaced:
                continue
            paths = self.paths(name)
            certain = tuple(path for path in paths if self._replaces(resource, path))
            if certain:
                self.replaced[name] = certain
                continue
            possible = tuple(path for path in paths if self._may_replace(resource.kind, path))
            if possible:
                self.maybe[name] = possible
            moving = {
                attribute
                for key, attribute in facts.MOVING.get(resource.kind, ())
                if paths and (key is None or key in paths)
            }
            if moving:
                self.moving[name] = moving
        return size != (len(self.replaced), len(self.maybe), len(self.moving))

    def _replaces(self, resource: Resource, path: str) -> bool:
        known = updates(resource.kind)
        if resource.kind != self.before.resources[resource.name].kind:
            return False
        if not known.update or any(covers(each, path) for each in known.create_only):
            return not _is_fixed(resource.kind, path)
        listed = facts.REPLACING.get(resource.kind, frozenset())
        value = value_at(resource.properties, path)
        return path in listed and isinstance(value, str) and value != ""

    def _may_replace(self, kind: str, path: str) -> bool:
        decided = facts.IN_PLACE.get(kind, frozenset()) | facts.REPLACING.get(kind, frozenset())
        return path.split("/", maxsplit=1)[0] not in decided and any(
            covers(each, path) for each in updates(kind).conditional
        )

    def _causes(self, name: Name, paths: tuple[str, ...] | list[str]) -> tuple[Cause, ...]:
        return tuple(Cause(path, self._why(name, path)) for path in paths)

    def _why(self, name: Name, path: str) -> str:
        if path in self.own[name]:
            return self.tracer.why(name, path)
        found = self.references[name][path]
        followed = sorted(
            {str(other) for other, attribute in found if self._moves(other, attribute)}
        )
        return f"follows {', '.join(followed)}"

    def _kept(self, resource: Resource) -> Change | None:
        name, kind = resource.name, resource.kind
        old = self.before.resources[name]
        if old.kind != kind:
            cause = Cause("Type", f"{old.kind} → {kind}")
            note = "CloudFormation refuses another type under the same logical ID."
            return Change(name, kind, Action.FAIL, (cause,), self._refused(old), (note,))
        paths = self.paths(name)
        if not paths:
            return None
        refused = tuple(refusals(self, old, resource, paths))
        if refused:
            return Change(
                name, kind, Action.FAIL, self._causes(name, paths), self._refused(old), refused
            )
        if name in self.replaced:
            fate, notes = self._replacement(old, resource)
            causes = self._causes(name, self.replaced[name])
            return Change(name, kind, Action.REPLACE, causes, fate, notes)
        if name in self.maybe:
            fate, notes = self._replacement(old, resource)
            causes = self._causes(name, self.maybe[name])
            return Change(name, kind, Action.MAY_REPLACE, causes, fate, notes)
        return self._in_place(old, resource, paths)

    def _in_place(self, old: Resource, resource: Resource, paths: list[str]) -> Change:
        notes = [
            interruption.what
            for (kind, key), interruption in facts.INTERRUPTIONS.items()
            if kind == resource.kind and any(path.split("/")[0] == key for path in paths)
        ]
        if stops_first(resource) and any(path == "TaskDefinition" for path in paths):
            notes.append("its task stops before the new one starts")
        action = Action.INTERRUPT if notes else Action.UPDATE
        fate, lost = overwritten(old, resource, paths)
        unprotected = protection_lost(old, resource)
        return Change(
            resource.name,
            resource.kind,
            action,
            self._causes(resource.name, paths),
            fate,
            (*notes, *lost, *([unprotected] if unprotected else ())),
            unprotects=bool(unprotected),
        )

    def _replacement(self, old: Resource, new: Resource) -> tuple[Fate, tuple[str, ...]]:
        return fate_of_replacement(old, new, protected=is_protected(self.before, old))

    def _removal(self, resource: Resource) -> Change:
        fate, notes = fate_of_deletion(resource, protected=is_protected(self.before, resource))
        cause = Cause("", self.tracer.why_condition(resource.name))
        stays = resource.policy("DeletionPolicy").startswith("Retain")
        action = Action.RELEASE if stays else Action.DELETE
        return Change(resource.name, resource.kind, action, (cause,), fate, notes)

    def _new(self, resource: Resource) -> Change:
        cause = Cause("", self.tracer.why_condition(resource.name))
        taken = [
            old
            for old in self.before.resources.values()
            if old.kind == resource.kind and has_same_name(old, resource)
        ]
        if taken:
            note = f"Its name is taken by {taken[0].name} until the update ends."
            return Change(
                resource.name, resource.kind, Action.FAIL, (cause,), Fate.REFUSED, (note,)
            )
        return Change(resource.name, resource.kind, Action.CREATE, (cause,), Fate.NONE)

    @staticmethod
    def _refused(old: Resource) -> Fate:
        return Fate.REFUSED if old.kind in facts.STATEFUL else Fate.NONE


def _is_fixed(kind: str, path: str) -> bool:
    return path.split("/", maxsplit=1)[0] in facts.FIXED.get(kind, frozenset())


def stops_first(service: Resource) -> bool:
    """Whether an ECS service stops its tasks before it starts new ones."""
    share = value_at(service.properties, "DeploymentConfiguration/MinimumHealthyPercent")
    return service.kind == facts.SERVICE and str(share) == "0"


def has_same_name(one: Resource, other: Resource) -> bool:
    """Whether two resources of a type have the same name, given by the template."""
    names = updates(one.kind).names & one.properties.keys() & other.properties.keys()
    given = [name for name in names if not any(tokens(one.properties[name]))]
    return bool(given) and all(
        is_same(one.properties[name], other.properties[name]) for name in names
    )
