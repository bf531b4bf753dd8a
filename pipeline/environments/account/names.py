"""The names that an environment's templates give to resources: another resource must not have them.

CloudFormation adds a random suffix to every other name, such as that of a role, an alarm, a secret or an image repository, so those
cannot be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.needs import Needs
from pipeline.environments.account.usage import Listing, listing
from pipeline.environments.deletion.account import Account, UnreadableError

OIDC = "AWS::IAM::OIDCProvider"


@dataclass(frozen=True)
class Named:
    """A type of resource with a name of its template: the property, how the names are listed, and what to do with a taken one."""

    kind: str
    title: str
    property: str
    listed: Callable[[str], Listing]
    key: str
    remove: str


NAMED = (
    Named(
        "AWS::KMS::Alias",
        "KMS alias",
        "AliasName",
        lambda _name: listing("kms:ListAliases", "list_aliases", "Aliases"),
        "AliasName",
        "aws kms delete-alias --alias-name {name}",
    ),
    Named(
        "AWS::Logs::LogGroup",
        "log group",
        "LogGroupName",
        lambda name: listing(
            "logs:DescribeLogGroups", "describe_log_groups", "logGroups", logGroupNamePrefix=name
        ),
        "logGroupName",
        "aws logs delete-log-group --log-group-name {name}",
    ),
    Named(
        "AWS::WAFv2::WebACL",
        "web ACL",
        "Name",
        lambda _name: listing("wafv2:ListWebACLs", "list_web_acls", "WebACLs", Scope="REGIONAL"),
        "Name",
        "aws wafv2 delete-web-acl --scope REGIONAL --name {name} with its ID and lock token",
    ),
    Named(
        "AWS::ElastiCache::User",
        "cache user",
        "UserId",
        lambda _name: listing("elasticache:DescribeUsers", "describe_users", "Users"),
        "UserId",
        "aws elasticache delete-user --user-id {name}",
    ),
    Named(
        "AWS::ElastiCache::UserGroup",
        "cache user group",
        "UserGroupId",
        lambda _name: listing(
            "elasticache:DescribeUserGroups", "describe_user_groups", "UserGroups"
        ),
        "UserGroupId",
        "aws elasticache delete-user-group --user-group-id {name}",
    ),
    Named(
        "AWS::ElastiCache::ServerlessCache",
        "serverless cache",
        "ServerlessCacheName",
        lambda _name: listing(
            "elasticache:DescribeServerlessCaches",
            "describe_serverless_caches",
            "ServerlessCaches",
        ),
        "ServerlessCacheName",
        "aws elasticache delete-serverless-cache --serverless-cache-name {name}",
    ),
)
# The kinds whose names LaunchCheck looks for, and names that cannot be taken.
CHECKED_BY_LAUNCH_CHECK = ("AWS::S3::Bucket",)


def taken_names(needs: Needs, named: Named, account: Account) -> Iterator[Finding]:
    """Whether the names of one type are free."""
    for used in needs.of(named.kind):
        name = used.properties.get(named.property)
        if isinstance(name, str):
            yield _free(named, name, account)


def _free(named: Named, name: str, account: Account) -> Finding:
    subject = f"{named.title} {name}"
    try:
        entries = named.listed(name).entries(account)
    except UnreadableError as error:
        return cannot_tell(subject, f"The {named.title}s of the account are not known: {error}.")
    if any(each[named.key] == name for each in entries):
        return no(
            subject,
            f"The account has a {named.title} with this name: remove it with"
            f" `{named.remove.format(name=name)}`, or choose another Project.",
        )
    return yes(subject, "The name is free.")


def oidc_provider(needs: Needs, given: str, account: Account) -> Finding | None:
    """Whether GitHub's OIDC provider can be created, or exists; None for an environment that has none.

    IAM allows one provider of a URL in an account. ``given`` is the ARN of an existing one, or empty.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    created = [str(each.properties["Url"]).removeprefix("https://") for each in needs.of(OIDC)]
    if not created and not given:
        return None
    subject = "OIDC provider of GitHub"
    found = listing(
        "iam:ListOpenIDConnectProviders",
        "list_open_id_connect_providers",
        "OpenIDConnectProviderList",
    )
    try:
        arns = [str(each["Arn"]) for each in found.entries(account)]
    except UnreadableError as error:
        return cannot_tell(subject, f"The OIDC providers of the account are not known: {error}.")
    if given:
        if given in arns:
            return yes(subject, f"{given} exists.")
        return no(
            subject,
            f"GitHubOidcProviderArn is {given}, which does not exist: leave it empty, and the environment creates one.",
        )
    taken = [arn for arn in arns if arn.endswith(f"/{created[0]}")]
    if taken:
        return no(
            subject,
            f"The account has {taken[0]}, and IAM allows one provider of a URL: set GitHubOidcProviderArn={taken[0]}.",
        )
    return yes(subject, "The account has none, and the environment creates it.")
