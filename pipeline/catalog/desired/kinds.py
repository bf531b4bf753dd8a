"""Kinds of steps and of observed resources."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kind of a step, in the order of application: launchers get access when everything else exists.

    A product leaves a portfolio last, when its new path is complete.
    """

    LAUNCH_ROLE = "launch role"
    BOUNDARY = "permissions boundary"
    LAUNCHER_ROLE = "launcher role"
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
