"""What building a template can refuse."""


class TemplateError(Exception):
    """A template that cannot be built; its text is one sentence that says what is wrong, where, and what to do."""
