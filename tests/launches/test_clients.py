"""Clients that are not part of the project: Sceptre, boto3 and the AWS CLI launch, change, read and delete dev."""

from __future__ import annotations

import json
import re
import shutil
import sys

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.upload import ensure_bucket
from pipeline.stacks.deploy import describe_stack
from pipeline.stacks.reading import values_of
from tests.conftest import REGION
from tests.documentation.blocks import below
from tests.documentation.shell import Shell
from tests.engines.places import SCEPTRE, present
from tests.launches.tree import Tree

STACK, BUCKET = "carbon-connect-dev", "my-releases"
FILES, COMMANDS = below("docs/launching.md", "With Sceptre")
LAUNCH, DIFF, DELETE = COMMANDS.commands()

# A program that uses boto3 only. It raises the number of tasks through a change set, and reads what a script reads.
PROGRAM = """
import json, boto3

cloudformation = boto3.client("cloudformation")
stack = boto3.resource("cloudformation").Stack("carbon-connect-dev")
values = [
    {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
    for each in stack.parameters
    if each["ParameterKey"] != "ApiMaxTasks"
]
change_set = cloudformation.create_change_set(
    StackName=stack.name,
    ChangeSetName="more-tasks",
    UsePreviousTemplate=True,
    Parameters=[*values, {"ParameterKey": "ApiMaxTasks", "ParameterValue": "12"}],
    Capabilities=["CAPABILITY_IAM"],
    IncludeNestedStacks=True,
)["Id"]
once_a_second = {"Delay": 1}
cloudformation.get_waiter("change_set_create_complete").wait(
    ChangeSetName=change_set, WaiterConfig=once_a_second
)
changes = cloudformation.describe_change_set(ChangeSetName=change_set)["Changes"]
cloudformation.execute_change_set(ChangeSetName=change_set)
cloudformation.get_waiter("stack_update_complete").wait(
    StackName=stack.name, WaiterConfig=once_a_second
)
events = [
    event["ResourceStatus"]
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.name)
    for event in page["StackEvents"]
]
nested = [
    each.physical_resource_id
    for each in stack.resource_summaries.all()
    if each.resource_type == "AWS::CloudFormation::Stack"
]
stack.reload()
print(json.dumps({
    "changed": sorted(each["ResourceChange"]["LogicalResourceId"] for each in changes),
    "status": stack.stack_status,
    "last": events[0],
    "nested": len(nested),
    "url": {each["OutputKey"]: each["OutputValue"] for each in stack.outputs}["Url"],
    "template": sorted(cloudformation.get_template(StackName=nested[0])["TemplateBody"]),
}))
"""


@pytest.fixture(scope="module")
def aws(running: EmbeddedAws) -> Aws:
    return Aws(REGION, running.environment())


@pytest.fixture(scope="module")
def shell(
    running: EmbeddedAws, aws: Aws, tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> Shell:
    """A shell in the folder of a Sceptre project, as the page describes it, after the upload of the release."""
    ensure_bucket(aws, BUCKET)
    uploaded = tree.run("upload", "--bucket", BUCKET, **running.environment())
    assert uploaded.returncode == 0, uploaded.stderr
    folder = tmp_path_factory.mktemp("sceptre")
    _, *parts = re.split(r"^# (config/\S+)\n", FILES.text, flags=re.MULTILINE)
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    pairs = json.loads((tree.folder / "dist/launch/dev.json").read_text(encoding="utf-8"))
    with (folder / "config/dev.yaml").open("a", encoding="utf-8") as file:
        for name, _, value in (pair.partition("=") for pair in pairs):
            if name != "ReleaseBucket":
                file.write(f"  {name}: {json.dumps(value)}\n")
    (folder / "templates").mkdir()
    shutil.copy(tree.folder / "dist/templates/environment.template.json", folder / "templates")
    shell = Shell(folder, running.environment())
    shell.replace_program(
        "sceptre",
        f'exec env PYTHONPATH={present(SCEPTRE)} "{sys.executable}" "{SCEPTRE}/bin/sceptre" "$@"',
    )
    return shell


@pytest.fixture(scope="module")
def launched(shell: Shell) -> None:
    """The stack that Sceptre launches."""
    shell.run(LAUNCH)


@pytest.mark.usefixtures("launched")
def test_sceptre_launches_and_sees_no_difference(aws: Aws, shell: Shell) -> None:
    stack = describe_stack(aws, STACK)

    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert f"No difference to deployed stack {STACK}" in shell.run(DIFF)


@pytest.mark.usefixtures("launched")
def test_boto3_changes_and_reads_the_stack(shell: Shell) -> None:
    (shell.folder / "program.py").write_text(PROGRAM, encoding="utf-8")

    found = json.loads(shell.run(f'"{sys.executable}" program.py'))

    assert "Compute" in found["changed"]
    assert found["status"] == found["last"] == "UPDATE_COMPLETE"
    assert found["nested"] == 6
    assert found["url"].startswith("https://")
    assert {"Parameters", "Resources"} <= set(found["template"])


@pytest.mark.usefixtures("launched")
def test_aws_cli_reads_the_change(shell: Shell) -> None:
    query = "Stacks[0].Parameters[?ParameterKey=='ApiMaxTasks'].ParameterValue"
    command = f"aws cloudformation describe-stacks --stack-name {STACK}"
    shell.run(f"aws cloudformation wait stack-update-complete --stack-name {STACK}")

    assert shell.run(f'{command} --output text --query "{query}"') == "12\n"


@pytest.mark.usefixtures("launched")
def test_sceptre_shows_the_difference_and_updates(aws: Aws, shell: Shell) -> None:
    assert "ApiMaxTasks" in shell.run(DIFF)
    shell.run(LAUNCH)

    stack = describe_stack(aws, STACK)
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert values_of(stack)["ApiMaxTasks"] != "12"


@pytest.mark.usefixtures("launched")
def test_sceptre_deletes(aws: Aws, shell: Shell) -> None:
    shell.run(DELETE)

    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []
