"""The error of a template that cannot be built."""


class TemplateError(Exception):
    """A template that cannot be built; its text is one sentence that says what is wrong, where, and what to do."""
