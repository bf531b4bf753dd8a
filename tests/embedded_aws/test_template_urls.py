"""A template is found under every style of S3 URL, and only there."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import CAPABILITIES, REGION, Account, template

BODY = template({"Queue": {"Type": "AWS::SQS::Queue"}})
KEY = "a b/c.json"


@pytest.fixture
def stored(account: Account) -> Account:
    account.put_template(BODY, KEY)
    return account


def from_url(account: Account, url: str) -> dict[str, Any]:
    cloudformation = account.client("cloudformation")
    created = cloudformation.create_stack(
        StackName=f"by-url-{uuid.uuid4().hex[:8]}", TemplateURL=url, Capabilities=CAPABILITIES
    )
    return account.settled(created["StackId"])


@pytest.mark.parametrize(
    "style",
    [
        "https://{bucket}.s3.{region}.amazonaws.com/{key}",
        "https://{bucket}.s3-{region}.amazonaws.com/{key}",
        "https://{bucket}.s3.dualstack.{region}.amazonaws.com/{key}",
        "https://{bucket}.s3.amazonaws.com/{key}",
        "https://{bucket}.s3.{region}.amazonaws.com.cn/{key}",
        "https://{bucket}.s3.{region}.amazonaws.eu/{key}",
        "https://{bucket}.s3.{region}.amazonaws.com/{key}?X-Amz-Signature=x",
        "https://s3.{region}.amazonaws.com/{bucket}/{key}",
        "https://s3-{region}.amazonaws.com/{bucket}/{key}",
        "https://s3.amazonaws.com/{bucket}/{key}",
        "http://127.0.0.1:1/{bucket}/{key}",
    ],
)
def test_style_is_understood(stored: Account, style: str) -> None:
    url = style.format(bucket=stored.bucket, region=REGION, key="a%20b/c.json")
    assert from_url(stored, url)["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.org/{bucket}/a%20b/c.json", "must reference a valid S3 object"),
        ("https://{bucket}.s3.eu-north-1.amazonaws.com/other.json", "key does not exist"),
        ("https://absent.s3.eu-north-1.amazonaws.com/c.json", "bucket does not exist: absent"),
        ("https://{bucket}.s3.eu-west-1.amazonaws.com/a%20b/c.json", "not in eu-west-1"),
    ],
)
def test_wrong_url_is_refused(stored: Account, url: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        from_url(stored, url.format(bucket=stored.bucket))


def test_dots_in_a_bucket_name_are_part_of_it(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(
        Bucket="a.dotted.name", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_object(Bucket="a.dotted.name", Key="t.json", Body=BODY.encode())
    url = f"https://a.dotted.name.s3.{REGION}.amazonaws.com/t.json"
    assert from_url(account, url)["StackStatus"] == "CREATE_COMPLETE"


def test_size_limits_of_body_and_object(account: Account) -> None:
    padded = {"Queue": {"Type": "AWS::SQS::Queue", "Metadata": {"Padding": "x" * 52_000}}}
    with pytest.raises(ClientError, match="less than or equal to 51200"):
        account.launch(template(padded))
    assert from_url(account, account.put_template(template(padded)))["StackStatus"] == (
        "CREATE_COMPLETE"
    )
    huge = json.loads(template(padded))
    huge["Resources"]["Queue"]["Metadata"]["Padding"] = "x" * 1_000_000
    with pytest.raises(ClientError, match="may not exceed 1000000 bytes"):
        from_url(account, account.put_template(json.dumps(huge)))
