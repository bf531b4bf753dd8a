"""What the command line answers with one sentence instead of a traceback."""


class Refusal(Exception):
    """Something that cannot be done; the text says in one sentence what is wrong, where, and what to do."""


def listed(names: list[str]) -> str:
    """Names as prose: ``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
