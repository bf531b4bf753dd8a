"""The checks, in the order in which they run; the first that fails gives the reason of the refusal."""

from .launch import Check

CHECKS: tuple[Check, ...] = ()
