"""What a step, or something that was observed, is about."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a step is about, in the order of application: who may launch comes when all else is in place.

    A product leaves a portfolio last, when all of its new path is in place.
    """

    LAUNCH_ROLE = "launch role"
    BOUNDARY = "permissions boundary"
    BUCKET = "release bucket"
    RELEASE = "release files"
    TEMPLATE = "product template"
    TAG_OPTION = "tag option"
    PORTFOLIO = "portfolio"
    PRODUCT = "product"
    VERSION = "version"
    MEMBER = "product in portfolio"
    CONSTRAINT = "constraint"
    PORTFOLIO_TAG_OPTION = "tag option of portfolio"
    PRINCIPAL = "principal"
    SHARE = "share"
    LEAVING = "product that leaves a portfolio"
