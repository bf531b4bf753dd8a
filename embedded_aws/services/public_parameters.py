"""The public SSM parameters of Amazon Linux 2023 on Graviton, which ministack does not list."""

from embedded_aws.bridge import tables

_PREFIX = "/aws/service/ami-amazon-linux-latest/"
_IMAGES = {
    "al2023-ami-kernel-default-arm64": "ami-0a2023a1b2c3d4e5f",
    "al2023-ami-kernel-6.1-arm64": "ami-0a2023a1b2c3d4e5f",
    "al2023-ami-minimal-kernel-default-arm64": "ami-0a2023a1b2c3d4e50",
}


def install() -> None:
    """Add the parameters."""
    for name, image in _IMAGES.items():
        tables.PUBLIC_IMAGE_PARAMETERS.setdefault(f"{_PREFIX}{name}", image)
