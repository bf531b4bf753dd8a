"""Evaluate CloudFormation's intrinsic functions as far as possible before a launch.

A reference to a resource stays; everything that parameters decide becomes its value.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import PipelineError

NO_VALUE: Any = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass
class Scope:
    """The values that the functions of one template refer to.

    ``values`` holds parameters and pseudo parameters; ``outputs`` returns the value of Fn::GetAtt for a nested stack's
    output, or None for any other attribute. ``opaque`` returns whether a text is known only after a launch: Fn::Split,
    Fn::Cidr and Fn::Base64 of such a text stay.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]
    outputs: Callable[[str, str], Any] = lambda _stack, _attribute: None
    known: dict[str, bool] = field(default_factory=dict)
    opaque: Callable[[str], bool] = lambda _text: False

    def condition(self, name: str) -> bool:
        """Whether a named condition of the template holds."""
        if name not in self.known:
            try:
                expression = self.template["Conditions"][name]
            except KeyError:
                raise PipelineError(
                    f"The template uses condition {name}, but does not define it."
                ) from None
            self.known[name] = self.holds(expression)
        return self.known[name]

    def holds(self, expression: Any) -> bool:
        """The result of a condition or rule expression."""
        ((function, argument),) = expression.items()
        if function == "Condition":
            return self.condition(argument)
        if function == "Fn::And":
            return all(self.holds(part) for part in argument)
        if function == "Fn::Or":
            return any(self.holds(part) for part in argument)
        if function == "Fn::Not":
            return not self.holds(argument[0])
        if function not in _COMPARISONS:
            raise PipelineError(
                f"A condition uses {function}, which cannot be evaluated before a launch."
            )
        left, right = (self.evaluate(part) for part in argument)
        return _COMPARISONS[function](left, right)

    def evaluate(self, value: Any) -> Any:
        """The value with all possible functions evaluated; NO_VALUE if the property is omitted."""
        if isinstance(value, list):
            items = (self.evaluate(item) for item in value)
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function.startswith("Fn::") and function in _FUNCTIONS:
                return _FUNCTIONS[function](self, argument)
        items_of = ((key, self.evaluate(item)) for key, item in value.items())
        return {key: item for key, item in items_of if item is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.values.get(name, {"Ref": name})

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self.evaluate(yes if self.condition(condition) else no)

    def _get_att(self, argument: Any) -> Any:
        logical_id, attribute = (
            argument.split(".", 1) if isinstance(argument, str) else map(str, argument)
        )
        found = self.outputs(logical_id, attribute)
        return {"Fn::GetAtt": [logical_id, attribute]} if found is None else found

    def _join(self, argument: list[Any]) -> Any:
        delimiter, parts = argument[0], self.evaluate(argument[1])
        if not isinstance(parts, list):
            return {"Fn::Join": [delimiter, parts]}
        joined: list[Any] = []
        for part in parts:
            known = part if isinstance(part, dict | list) else text_of(part)
            if joined and isinstance(known, str) and isinstance(joined[-1], str):
                joined[-1] += delimiter + known
            else:
                joined.append(known)
        if not joined:
            return ""
        whole = len(joined) == 1 and isinstance(joined[0], str)
        return joined[0] if whole else {"Fn::Join": [delimiter, joined]}

    def _sub(self, argument: Any) -> Any:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        given = {name: self.evaluate(value) for name, value in given.items()}
        left: dict[str, Any] = {}
        # Text, literal and open placeholders alternate; text is escaped only if a placeholder stays open.
        texts, opened = [""], []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            texts[-1] += text[end : match.start()]
            end = match.end()
            literal, name = match.groups()
            found = given[name] if name in given else self._named(name)
            if literal:
                texts[-1] += f"${{{name}}}"
            elif isinstance(found, dict):
                left |= {name: found} if name in given else {}
                opened.append(match.group())
                texts.append("")
            elif found is NO_VALUE:
                continue
            elif isinstance(found, list):
                raise PipelineError(
                    f"Fn::Sub cannot insert the list {name} into the text {text!r}."
                )
            else:
                texts[-1] += text_of(found)
        texts[-1] += text[end:]
        if not opened:
            return texts[0]
        escaped = [part.replace("${", "${!") for part in texts]
        whole = escaped[0] + "".join(
            name + part for name, part in zip(opened, escaped[1:], strict=True)
        )
        return {"Fn::Sub": [whole, left] if left else whole}

    def _named(self, name: str) -> Any:
        return self._get_att(name) if "." in name else self._ref(name)

    def _select(self, argument: list[Any]) -> Any:
        index, items = self.evaluate(argument[0]), self.evaluate(argument[1])
        if not isinstance(items, list):
            return {"Fn::Select": [index, items]}
        if not 0 <= int(index) < len(items):
            raise PipelineError(
                f"The template selects entry {int(index) + 1} of a list of {len(items)}: {items}."
            )
        return items[int(index)]

    def _split(self, argument: list[Any]) -> Any:
        delimiter, text = argument[0], self.evaluate(argument[1])
        if isinstance(text, str) and not self.opaque(text):
            return text.split(delimiter)
        return {"Fn::Split": [delimiter, text]}

    def _cidr(self, argument: list[Any]) -> Any:
        block, count, bits = (self.evaluate(part) for part in argument)
        if not isinstance(block, str) or self.opaque(block):
            return {"Fn::Cidr": [block, count, bits]}
        try:
            network = ipaddress.ip_network(block)
            subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
            return [str(next(subnets)) for _ in range(int(count))]
        except (ValueError, StopIteration):
            raise PipelineError(
                f"The template cuts {count} ranges of {bits} host bits from {block}, which is too small for them."
            ) from None

    def _zones(self, argument: Any) -> Any:
        # The zones of an account are not known before the launch.
        return {"Fn::GetAZs": self.evaluate(argument) or self.values["AWS::Region"]}

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self.evaluate(part) for part in argument[:3])
        found = self.template.get("Mappings", {}).get(name, {}).get(first, {}).get(second)
        if found is None:
            if len(argument) > 3:
                return self.evaluate(argument[3]["DefaultValue"])
            raise PipelineError(f"Mapping {name} of the template has no entry {first}, {second}.")
        return found

    def _base64(self, argument: Any) -> Any:
        text = self.evaluate(argument)
        if isinstance(text, str) and not self.opaque(text):
            return base64.b64encode(text.encode()).decode()
        return {"Fn::Base64": text}


def text_of(value: Any) -> str:
    """A scalar as text, in CloudFormation's form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Fn::Equals": lambda left, right: text_of(left) == text_of(right),
    "Fn::Contains": lambda members, value: value in members,
    "Fn::EachMemberIn": lambda members, allowed: set(members) <= set(allowed),
    "Fn::EachMemberEquals": lambda members, value: all(item == value for item in members),
}

_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Fn::If": Scope._if,
    "Fn::GetAtt": Scope._get_att,
    "Fn::Join": Scope._join,
    "Fn::Sub": Scope._sub,
    "Fn::Select": Scope._select,
    "Fn::Split": Scope._split,
    "Fn::Cidr": Scope._cidr,
    "Fn::GetAZs": Scope._zones,
    "Fn::FindInMap": Scope._find_in_map,
    "Fn::Base64": Scope._base64,
}
# Those that can be evaluated, and one whose value is known to the account only.
KNOWN_FUNCTIONS = frozenset(_FUNCTIONS) | {"Fn::ImportValue"}
