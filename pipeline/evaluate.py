"""CloudFormation's intrinsic functions, evaluated as far as they can be before a launch.

A reference to a resource stays as it is; everything that parameters decide becomes the value it will have.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import Refusal

NO_VALUE: Any = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass
class Scope:
    """What the functions of one template refer to.

    ``values`` holds parameters and pseudo parameters; ``outputs`` answers Fn::GetAtt of a nested stack's output
    with its value, or None for an attribute of anything else.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]
    outputs: Callable[[str, str], Any] = lambda _stack, _attribute: None
    known: dict[str, bool] = field(default_factory=dict)

    def condition(self, name: str) -> bool:
        """Whether a named condition of the template holds."""
        if name not in self.known:
            try:
                expression = self.template["Conditions"][name]
            except KeyError:
                raise Refusal(
                    f"The template uses condition {name}, which it does not have."
                ) from None
            self.known[name] = self.holds(expression)
        return self.known[name]

    def holds(self, expression: Any) -> bool:
        """The truth of a condition or rule expression."""
        ((function, argument),) = expression.items()
        if function == "Condition":
            return self.condition(argument)
        if function == "Fn::And":
            return all(self.holds(part) for part in argument)
        if function == "Fn::Or":
            return any(self.holds(part) for part in argument)
        if function == "Fn::Not":
            return not self.holds(argument[0])
        left, right = (self.evaluate(part) for part in argument)
        if function == "Fn::Equals":
            return str(left) == str(right)
        if function == "Fn::Contains":
            return right in left
        if function == "Fn::EachMemberIn":
            return set(left) <= set(right)
        if function == "Fn::EachMemberEquals":
            return all(item == right for item in left)
        raise Refusal(f"A condition uses {function}, which cannot be evaluated before a launch.")

    def evaluate(self, value: Any) -> Any:
        """The value with every function evaluated that can be; NO_VALUE where the property is left out."""
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
            if joined and isinstance(part, str) and isinstance(joined[-1], str):
                joined[-1] += delimiter + part
            else:
                joined.append(str(part) if isinstance(part, int) else part)
        if not joined:
            return ""
        whole = len(joined) == 1 and isinstance(joined[0], str)
        return joined[0] if whole else {"Fn::Join": [delimiter, joined]}

    def _sub(self, argument: Any) -> Any:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        given = {name: self.evaluate(value) for name, value in given.items()}
        left: dict[str, Any] = {}

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return match.group()
            found = given[name] if name in given else self._named(name)
            if isinstance(found, dict):
                if name in given:
                    left[name] = found
                return match.group()
            return str(found)

        text = _PLACEHOLDER.sub(replace, text)
        if not any(not literal for literal, _ in _PLACEHOLDER.findall(text)):
            return text.replace("${!", "${")
        return {"Fn::Sub": [text, left] if left else text}

    def _named(self, name: str) -> Any:
        return self._get_att(name) if "." in name else self._ref(name)

    def _select(self, argument: list[Any]) -> Any:
        index, items = self.evaluate(argument[0]), self.evaluate(argument[1])
        if not isinstance(items, list):
            return {"Fn::Select": [index, items]}
        if int(index) >= len(items):
            raise Refusal(
                f"The template selects entry {int(index) + 1} of a list of {len(items)}: {items}."
            )
        return items[int(index)]

    def _split(self, argument: list[Any]) -> Any:
        delimiter, text = argument[0], self.evaluate(argument[1])
        return text.split(delimiter) if isinstance(text, str) else {"Fn::Split": [delimiter, text]}

    def _cidr(self, argument: list[Any]) -> Any:
        block, count, bits = (self.evaluate(part) for part in argument)
        if not isinstance(block, str):
            return {"Fn::Cidr": [block, count, bits]}
        subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(subnet) for _, subnet in zip(range(int(count)), subnets, strict=False)]

    def _zones(self, argument: Any) -> Any:
        # Which zones an account gets is not known before the launch.
        return {"Fn::GetAZs": self.evaluate(argument) or self.values["AWS::Region"]}

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self.evaluate(part) for part in argument[:3])
        found = self.template["Mappings"][name].get(first, {}).get(second)
        if found is None:
            if len(argument) > 3:
                return self.evaluate(argument[3]["DefaultValue"])
            raise Refusal(f"Mapping {name} of the template has no entry {first}, {second}.")
        return found

    def _base64(self, argument: Any) -> Any:
        text = self.evaluate(argument)
        if isinstance(text, str):
            return base64.b64encode(text.encode()).decode()
        return {"Fn::Base64": text}


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
