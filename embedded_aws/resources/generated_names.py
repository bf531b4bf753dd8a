"""Names that CloudFormation generates differ from region to region, as on AWS, where their last part is random.

ministack 1.5.33 derives that part from the stack's name and the logical ID only. Two stacks with one name in two regions of an
account would then have one IAM role: IAM is global.
"""

import hashlib
from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import functions

# The characters of the last part of a name; ministack never shortens it.
_SUFFIX = 13


def install() -> None:
    """Make the names of a stack depend on its region; an update of the stack keeps them."""
    generate = functions.physical_name.current

    def name_in_region(stack_name: str, logical_id: str, **options: Any) -> str:
        name: str = generate(stack_name, logical_id, **options)
        suffix = hashlib.sha256(f"{get_region()}:{name[-_SUFFIX:]}".encode()).hexdigest()[:_SUFFIX]
        return name[:-_SUFFIX] + (suffix if options.get("lowercase") else suffix.upper())

    functions.physical_name.replace(name_in_region)
