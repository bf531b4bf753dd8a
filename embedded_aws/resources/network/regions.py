"""The regions of an account: all are on, except those that `EmbeddedAws.turn_region_off` turns off."""

from typing import Any

from embedded_aws.bridge import tables

_ACTION = "DescribeRegions"
# The regions that are off.
OFF: set[str] = set()


def install() -> None:
    """Answer DescribeRegions with the regions that are off."""
    describe = tables.EC2_ACTIONS[_ACTION]

    def described(parameters: Any) -> Any:
        status, headers, body = describe(parameters)
        text = body.decode() if isinstance(body, bytes) else body
        for region in OFF:
            start = text.find(f"<regionName>{region}</regionName>")
            if start >= 0:
                item = text[start : text.index("</item>", start)]
                text = text.replace(item, item.replace(">opted-in<", ">not-opted-in<"))
        return status, headers, text.encode()

    tables.EC2_ACTIONS[_ACTION] = described
