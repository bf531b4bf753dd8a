"""Markdown of the project as HTML."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# Links to files of the project lead nowhere from the site.
_LOCAL_LINK = re.compile(r'<a href="(?!https?://)[^"]*">(.*?)</a>', re.DOTALL)


def inline(text: str) -> Markup:
    """A line of Markdown. HTML in it is shown as text."""
    return Markup(_LOCAL_LINK.sub(r"\1", _MARKDOWN.renderInline(text)))  # noqa: S704 - the library escapes


def block(text: str, deeper: int = 0) -> Markup:
    """A text in Markdown without its comments, with its headings ``deeper`` levels down."""
    body = _MARKDOWN.render(_COMMENT.sub("", text))
    body = re.sub(r"<(/?)h(\d)>", lambda found: f"<{found[1]}h{int(found[2]) + deeper}>", body)
    return Markup(_LOCAL_LINK.sub(r"\1", body))  # noqa: S704 - the library escapes
