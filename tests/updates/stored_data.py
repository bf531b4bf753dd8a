"""Data in an environment: written, and read again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.launches.environments import Environment, Resource

API_KEY = json.dumps({"value": "a key put by hand"})
OBJECT, RECORD, MESSAGE, STREAM, TAG = "offers/7.pdf", "ledger", "a line", "kept", "1.4.2"
SEALED = b"under the key"
DOCKER = "application/vnd.docker"
IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": f"{DOCKER}.distribution.manifest.v2+json",
        "config": {
            "mediaType": f"{DOCKER}.container.image.v1+json",
            "size": 7,
            "digest": f"sha256:{'0' * 64}",
        },
        "layers": [],
    }
)
Resources = Mapping[str, Resource]
# Data by its resource, such as Data.DocumentsBucket.
Held = dict[str, Any]


class Holdings:
    """Write data to every resource that supports it here."""

    def __init__(self, environment: Environment) -> None:
        self.client = environment.client
        resources = environment.resources()
        for _, bucket in of_type(resources, "AWS::S3::Bucket"):
            for body in (b"first draft", b"offer"):
                self.client("s3").put_object(Bucket=bucket, Key=OBJECT, Body=body)
        for name, secret in of_type(resources, "AWS::SecretsManager::Secret"):
            if name.endswith("ApiKeySecret"):
                self.client("secretsmanager").put_secret_value(
                    SecretId=secret, SecretString=API_KEY
                )
        for _, repository in of_type(resources, "AWS::ECR::Repository"):
            self.client("ecr").put_image(
                repositoryName=repository, imageManifest=IMAGE, imageTag=TAG
            )
        for _, group in of_type(resources, "AWS::Logs::LogGroup"):
            self._write_line(group)
        for _, zone in of_type(resources, "AWS::Route53::HostedZone"):
            self._put_record(zone)
        self.sealed = {
            name: self.client("kms").encrypt(KeyId=key, Plaintext=SEALED)["CiphertextBlob"]
            for name, key in of_type(resources, "AWS::KMS::Key")
        }

    def _write_line(self, group: str) -> None:
        line = {"timestamp": int(time.time() * 1000), "message": MESSAGE}
        logs = self.client("logs")
        logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
        logs.put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=[line])

    def _put_record(self, zone: str) -> None:
        route53 = self.client("route53")
        domain = route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"]
        address = {"TTL": 60, "ResourceRecords": [{"Value": "10.0.0.7"}]}
        record = {"Name": f"{RECORD}.{domain}", "Type": "A", **address}
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
        )

    def read(self, resources: Resources) -> Held:
        """The current data."""
        readers = {
            "AWS::S3::Bucket": self._objects,
            "AWS::SecretsManager::Secret": self._secret,
            "AWS::ECR::Repository": self._images,
            "AWS::Logs::LogGroup": self._lines,
            "AWS::Route53::HostedZone": self._records,
        }
        held: Held = {
            name: read(physical_id)
            for kind, read in readers.items()
            for name, physical_id in of_type(resources, kind)
        }
        for name, sealed in self.sealed.items():
            held[name] = self.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"]
        return held

    def _objects(self, bucket: str) -> list[tuple[str, str, bool, bytes]]:
        """Key, version and content of every version, and whether it is current; after a deletion, none is."""
        s3 = self.client("s3")
        found = []
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            key, identifier = version["Key"], version["VersionId"]
            body = s3.get_object(Bucket=bucket, Key=key, VersionId=identifier)["Body"].read()
            found.append((key, identifier, version["IsLatest"], body))
        return sorted(found)

    def _secret(self, secret: str) -> str:
        value: str = self.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return value

    def _images(self, repository: str) -> list[str]:
        images = self.client("ecr").list_images(repositoryName=repository)["imageIds"]
        return sorted(image["imageTag"] for image in images)

    def _lines(self, group: str) -> list[str]:
        """The lines of the stream; none in a group that an update added."""
        logs = self.client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=STREAM)
        if not streams["logStreams"]:
            return []
        found = logs.get_log_events(logGroupName=group, logStreamName=STREAM)
        return [event["message"] for event in found["events"]]

    def _records(self, zone: str) -> list[tuple[str, str]]:
        found = self.client("route53").list_resource_record_sets(HostedZoneId=zone)
        return [
            (record["Name"], record["ResourceRecords"][0]["Value"])
            for record in found["ResourceRecordSets"]
            if record["Name"].startswith(RECORD)
        ]


def of_type(resources: Resources, kind: str) -> Iterator[tuple[str, str]]:
    """Name and physical ID of each resource of a type."""
    for name, resource in resources.items():
        if resource.type == kind:
            yield name, resource.physical_id
