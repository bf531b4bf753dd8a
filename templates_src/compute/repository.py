"""The image of api, worker and beat: its repository, access to it, and the placeholder image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from awacs import ecr as ecr_actions
from awacs.aws import Allow, Statement
from troposphere import Equals, GetAtt, If, Sub
from troposphere.ecr import ImageScanningConfiguration, LifecyclePolicy, Repository
from troposphere.iam import PolicyType

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import NEW_TASKS
from templates_src.core.parameters.wiring.security import DEPLOY_ROLE_NAME

IMAGE_REPOSITORY = Declaration(
    name="ImageRepository",
    group=groups.IMAGE,
    label="Image repository",
    description="Name of an existing ECR repository in this account and region; empty creates one. If you set it later, the created repository stays, outside the stack. "
    f"{NEW_TASKS}",
    default="",
    pattern=r"([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)?",
    max_length=256,
    message="ImageRepository must be empty or the name of an ECR repository, such as team/carbon-connect, not its URI.",
)

IMAGE_TAG = Declaration(
    name="ImageTag",
    group=groups.IMAGE,
    label="Image tag",
    description=f"Tag of the image to run; empty runs a public placeholder. {NEW_TASKS}",
    default="",
    pattern=r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?",
    message="ImageTag must be empty or a tag in the repository: at most 128 letters, digits, dots, hyphens, underscores.",
)

# For both architectures, from a registry without the pull limits of Docker Hub.
PLACEHOLDER_IMAGE = "public.ecr.aws/docker/library/python:3.13-alpine"
# ECR does not know which image runs. If the running image expires, new tasks cannot pull it. So the repository keeps
# enough images to contain the running one, also after many pushes without a deployment and after a rollback.
KEPT_IMAGES = 200
# Only untagged images: ECR keeps the parts of a multi-architecture image as long as the image.
KEPT_UNTAGGED_DAYS = 14


@dataclass(frozen=True)
class ImageSource:
    """The repository in use, new or existing: expressions for its URI, its ARN and the image to run."""

    uri: If
    arn: If
    image: If


def add_repository(layer: Layer) -> ImageSource:
    """The repository, if no existing one is named.

    It is retained: its images outlive the environment, and ECR deletes only an empty repository. It uses AES-256
    instead of the environment's key, so that pulling needs no permission on the key.
    """
    given = layer.has(IMAGE_REPOSITORY)
    created = layer.condition(
        "UseOwnImageRepository", Equals(layer.parameter(IMAGE_REPOSITORY), "")
    )
    repository = layer.add(
        Repository(
            "ImageRepositoryOfEnvironment",
            Condition=created,
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            ImageTagMutability="IMMUTABLE",
            ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
            LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=lifecycle()),
        )
    )
    name = f"${{{IMAGE_REPOSITORY.name}}}"
    uri = If(
        given,
        Sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/" + name),
        GetAtt(repository, "RepositoryUri"),
    )
    arn = If(
        given,
        Sub("arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/" + name),
        GetAtt(repository, "Arn"),
    )
    image = If(
        layer.has(IMAGE_TAG),
        Sub(f"${{Repository}}:${{{IMAGE_TAG.name}}}", Repository=uri),
        PLACEHOLDER_IMAGE,
    )
    return ImageSource(uri, arn, image)


def lifecycle() -> str:
    """The lifecycle policy in ECR's JSON."""
    untagged: dict[str, Any] = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": KEPT_UNTAGGED_DAYS,
    }
    tagged: dict[str, Any] = {
        "tagStatus": "tagged",
        "tagPatternList": ["*"],
        "countType": "imageCountMoreThan",
        "countNumber": KEPT_IMAGES,
    }
    rules = [
        {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}
        for priority, selection in enumerate((untagged, tagged), start=1)
    ]
    return json.dumps({"rules": rules})


def pull(source: ImageSource) -> Statement:
    """Pull from this repository. The token for the registry is granted with the role."""
    return Statement(
        Sid="PullFromThisRepository",
        Effect=Allow,
        Action=[
            ecr_actions.BatchCheckLayerAvailability,
            ecr_actions.BatchGetImage,
            ecr_actions.GetDownloadUrlForLayer,
        ],
        Resource=[source.arn],
    )


def allow_push(layer: Layer, source: ImageSource) -> None:
    """Workflows can push to this repository, if there is a deploy role.

    A push also reads: existing layers and tags, and the base layers of a build.
    """
    layer.add(
        PolicyType(
            "PushPolicy",
            Condition=layer.has(DEPLOY_ROLE_NAME),
            PolicyName="push-to-repository",
            Roles=[layer.parameter(DEPLOY_ROLE_NAME)],
            PolicyDocument=iam.document(
                Statement(
                    Sid="PushToThisRepository",
                    Effect=Allow,
                    Action=[
                        ecr_actions.BatchCheckLayerAvailability,
                        ecr_actions.BatchGetImage,
                        ecr_actions.CompleteLayerUpload,
                        ecr_actions.DescribeImages,
                        ecr_actions.GetDownloadUrlForLayer,
                        ecr_actions.InitiateLayerUpload,
                        ecr_actions.PutImage,
                        ecr_actions.UploadLayerPart,
                    ],
                    Resource=[source.arn],
                )
            ),
        )
    )
