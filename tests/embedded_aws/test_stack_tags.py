"""Two tags of one key on a stack."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION

BODY = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


def test_are_refused(embedded: EmbeddedAws) -> None:
    cloudformation = Aws(REGION, embedded.environment()).client("cloudformation")
    tags = [{"Key": "Test", "Value": value} for value in ("dev", "prod")]

    with pytest.raises(ClientError, match="Tags contain duplicate keys; tag keys must be unique"):
        cloudformation.create_stack(StackName="tagged", TemplateBody=BODY, Tags=tags)

    cloudformation.create_stack(StackName="tagged", TemplateBody=BODY, Tags=tags[:1])
