"""User data of the search server: its settings, and the boot script that reads them (docs/search-server.md)."""

from __future__ import annotations

import re
from pathlib import Path

from troposphere import Base64, Join, Sub
from troposphere.ec2 import NetworkInterface
from troposphere.logs import LogGroup

from templates_src.core import ports
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import METRIC_NAMESPACE
from templates_src.core.parameters.wiring.data import SEARCH_VOLUME_ID
from templates_src.core.parameters.wiring.secrets import SEARCH_KEY_SECRET_ARN
from templates_src.security.secrets import VALUE

BOOT_SCRIPT = Path(__file__).with_name("boot.sh")
SETTINGS_FOLDER = "/etc/search-server"
COMMENT = re.compile(r"\s*#(?!!)")


def user_data(
    layer: Layer,
    image: Declaration,
    group: str,
    interface: NetworkInterface,
    log_group: LogGroup,
) -> Base64:
    """The settings and the script, in base64; ``group`` is the logical ID of the Auto Scaling group that receives the signal.

    Only the settings are a Sub, because ``${…}`` in the script is for the shell.
    """
    for declaration in (image, SEARCH_VOLUME_ID, SEARCH_KEY_SECRET_ARN):
        layer.parameter(declaration)
    settings = {
        "REGION": "${AWS::Region}",
        "STACK_NAME": "${AWS::StackId}",
        "LOGICAL_RESOURCE_ID": group,
        "VOLUME_ID": f"${{{SEARCH_VOLUME_ID.name}}}",
        "SECRET_ARN": f"${{{SEARCH_KEY_SECRET_ARN.name}}}",
        "SECRET_FIELD": VALUE,
        "IMAGE": f"${{{image.name}}}",
        "PORT": str(ports.SEARCH),
        "INTERFACE_ID": f"${{{interface.title}}}",
        "ADDRESS": f"${{{interface.title}.PrimaryPrivateIpAddress}}",
        "LOG_GROUP": f"${{{log_group.title}}}",
        "METRIC_NAMESPACE": METRIC_NAMESPACE,
        "ENVIRONMENT": "${Environment}",
    }
    lines = [
        "#!/bin/bash",
        f"install -d {SETTINGS_FOLDER}",
        f"cat >{SETTINGS_FOLDER}/settings <<'SETTINGS'",
        *(f"{name}={value}" for name, value in settings.items()),
        "SETTINGS",
    ]
    header = "".join(f"{line}\n" for line in lines)
    return Base64(Join("", [Sub(header), boot_script()]))


def boot_script() -> str:
    """The boot script without its comment lines, because user data is limited to 16 KB."""
    lines = BOOT_SCRIPT.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not COMMENT.match(line))
