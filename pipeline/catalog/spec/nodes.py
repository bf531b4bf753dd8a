"""Read YAML with line numbers, so that errors can name the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

from pipeline.errors import PipelineError, listed, suggestion

# The longest text in Service Catalog's model, for example the name and description of a product.
MAX_TEXT = 8191


@dataclass(frozen=True)
class Place:
    """A value of a YAML file: its node, the name of the file, and the path of keys."""

    node: yaml.Node
    file: str
    path: str

    def refuse(self, reason: str) -> PipelineError:
        """The error that names file, line and key."""
        where = f"{self.file}:{self.node.start_mark.line + 1}"
        return PipelineError(f"{where}: {self.path or 'the file'} {reason}")

    def mapping(
        self, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> dict[str, Place]:
        """The values of a mapping that can have only these keys."""
        found = self.entries()
        known = {*required, *optional}
        for name, place in found.items():
            if name not in known:
                meant = suggestion(name, known) or f"it may be {listed(sorted(known))}."
                raise place.refuse(f"is not a known key; {meant}")
        for name in required:
            if name not in found:
                raise self.refuse(f"has no key {name}; add it.")
        return found

    def entries(self) -> dict[str, Place]:
        """The values of a mapping by key, with any keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refuse("must be a mapping, with a key, a colon and a value on each line.")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = str(key.value)
            place = Place(value, self.file, f"{self.path}.{name}" if self.path else name)
            if name in found:
                raise Place(key, self.file, place.path).refuse(
                    "exists twice; remove one of the two."
                )
            found[name] = place
        return found

    def items(self) -> Iterator[Place]:
        """The values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.refuse("must be a list, such as [one, two].")
        for number, value in enumerate(self.node.value):
            yield Place(value, self.file, f"{self.path}[{number}]")

    def text(self, pattern: str = r".+", what: str = "a text", most: int = MAX_TEXT) -> str:
        """A text with a maximum length that matches the whole pattern; ``what`` describes it in messages."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.refuse(f"must be {what}.")
        value = str(self.node.value).strip()
        if not re.fullmatch(pattern, value, re.DOTALL):
            raise self.refuse(f"must be {what}, not {value!r}.")
        if len(value) > most:
            raise self.refuse(
                f"has {len(value)} characters, but Service Catalog allows {most}; shorten it."
            )
        return value

    def whole_number(self, least: int, most: int) -> int:
        """A whole number between two bounds, both included."""
        value = self.text(r"[0-9]+", f"a whole number from {least} to {most}")
        if not least <= int(value) <= most:
            raise self.refuse(f"must be a whole number from {least} to {most}, not {value}.")
        return int(value)

    def switch(self) -> bool:
        """True or false."""
        return self.text("true|false", "true or false") == "true"

    def unique_texts(self, pattern: str, what: str, most: int = MAX_TEXT) -> tuple[str, ...]:
        """A list of distinct texts."""
        values: list[str] = []
        for item in self.items():
            value = item.text(pattern, what, most)
            if value in values:
                raise item.refuse(f"is {value!r} again; remove one of the two.")
            values.append(value)
        return tuple(values)


def compose(text: str, file: str) -> Place:
    """The document of a YAML file. Raises PipelineError for invalid YAML and for an empty file."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PipelineError(f"{file}:{line}: invalid YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise PipelineError(f"{file}: invalid YAML: {' '.join(str(error).split())}.") from error
    if node is None:
        raise PipelineError(f"{file} is empty; docs/publishing.md describes its content.")
    return Place(node, file, "")
