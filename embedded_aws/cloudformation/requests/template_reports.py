"""What ValidateTemplate and GetTemplateSummary report of a template: its capabilities, and defaults of parameters.

ministack reports CAPABILITY_NAMED_IAM for every inline policy, a capability for IAM types that need none, and an empty default
for a parameter without one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (Capabilities)
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_TemplateParameter.html
"""

import re
from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables

_ACTIONS = ("ValidateTemplate", "GetTemplateSummary")


def install() -> None:
    """Report by the rule that CreateStack enforces."""
    required = functions.required_capabilities.current
    functions.required_capabilities.replace(
        lambda template, **_rule: required(template, strict=True)
    )
    for action in _ACTIONS:
        tables.ACTIONS[action] = _reporting(tables.ACTIONS[action])


def _reporting(report: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def reported(parameters: Any) -> Any:
        status, headers, body = report(parameters)
        if status != 200:
            return status, headers, body
        text = body.decode() if isinstance(body, bytes) else body
        for name in _without_default(parameters):
            key = f"<ParameterKey>{re.escape(name)}</ParameterKey>"
            text = re.sub(rf"({key})<DefaultValue></DefaultValue>", r"\1", text)
        return status, headers, text.encode()

    return reported


def _without_default(parameters: Any) -> list[str]:
    """The parameters of the template of a request that declare no default."""
    body, _ = functions.resolve_document(parameters, "TemplateBody", "TemplateURL", "Template")
    if not body:
        stack = functions.resolve_stack(functions.request_field(parameters, "StackName")) or {}
        body = stack.get("_template_body", "{}")
    declared = functions.parse_template(body).get("Parameters") or {}
    return [name for name, declaration in declared.items() if "Default" not in declaration]
