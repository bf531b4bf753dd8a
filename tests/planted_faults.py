"""Faults that a test plants in a copy of a check's input, to prove that the check can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Check = TypeVar("Check", bound=Callable[..., object])


@dataclass(frozen=True)
class Fault(Generic[Subject, Check]):
    """A fault that ``found_by`` must find, with a sentence that contains ``says``.

    ``plant`` changes the subject, a copy of the templates or of the rendered variant with the name ``variant``.
    """

    what: str
    found_by: Check
    says: str
    plant: Callable[[Subject], object]
    variant: str = "complete prod"
