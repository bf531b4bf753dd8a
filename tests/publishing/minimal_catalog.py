"""The smallest release and catalog with one of each resource, so that a publication makes few calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.catalog.spec.document import catalog
from pipeline.catalog.spec.model import Catalog
from pipeline.catalog.spec.nodes import compose
from pipeline.release.assemble import Release, content_digest, serialize, template_path
from templates_src.launch_role.template import NAME as ROLE_TEMPLATE
from templates_src.release_bucket.template import NAME as BUCKET_TEMPLATE

CATALOG = """
regions: [eu-north-1]
versions_kept: 2
launch_role: launch
owner: Platform
support:
  description: Ask us.
  email: help@example.com
tags: {Team: platform}
portfolios:
  environments:
    name: Environments
    description: Whole environments
    products: [production]
    principals: [role/launcher]
    tag_options: {CostCenter: ["42"]}
products:
  production:
    name: Production
    description: For customers
    profile: prod
    fixed: [NatGateways]
"""
SHARE = "    shares: [{account: '210987654321', tag_options: true}]\n"
ORGANIZATION = "organization: o-a1b2c3d4e5\n"
ROLE = {
    "Parameters": {
        "LaunchRoleName": {"Type": "String"},
        "Environments": {"Type": "String", "Default": "dev,staging,prod"},
        "PermissionsBoundary": {"Type": "String", "Default": ""},
    },
    "Resources": {
        "Boundary": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": {"Fn::Sub": "${LaunchRoleName}-boundary"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}],
                },
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": {"Ref": "LaunchRoleName"},
                "Policies": [
                    {
                        "PolicyName": "everything",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                        },
                    }
                ],
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "servicecatalog.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
            },
        },
    },
}
BUCKET = {
    "Parameters": {"OrganizationId": {"Type": "String", "Default": ""}},
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {
                    "Fn::Sub": "carbon-connect-releases-${AWS::AccountId}-${AWS::Region}"
                }
            },
        }
    },
}


def parameter(**more: Any) -> dict[str, Any]:
    return {"Type": "String", **more}


def root(text: str) -> dict[str, Any]:
    """A root template that contains ``text``."""
    names = ("Environment", "NatGateways", "ReleaseBucket", "ReleasePrefix")
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": text,
        "Metadata": {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [{"Label": {"default": "All"}, "Parameters": list(names)}],
                "ParameterLabels": {name: {"default": name} for name in names},
            }
        },
        "Parameters": {
            "Environment": parameter(Default="dev", AllowedValues=["dev", "staging", "prod"]),
            "NatGateways": parameter(Default="single", AllowedValues=["single", "per-zone"]),
            "ReleaseBucket": parameter(),
            "ReleasePrefix": parameter(Default="unnamed/"),
        },
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Where": {"Value": {"Fn::Sub": "${ReleaseBucket}/${ReleasePrefix}"}}},
    }


def small_release(release: Release, version: str = "1.0.0", text: str = "A release") -> Release:
    """A release of one template; another ``text`` changes its content."""
    files = {template_path(release.root.name): serialize(root(text))}
    return replace(
        release,
        version=version,
        digest=content_digest(files),
        files=files,
        bootstrap_stacks={
            template_path(ROLE_TEMPLATE): serialize(ROLE),
            template_path(BUCKET_TEMPLATE): serialize(BUCKET),
        },
    )


def small_catalog(text: str = CATALOG) -> Catalog:
    return catalog(compose(text, "catalog.yaml"))
