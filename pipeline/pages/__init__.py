"""The site of `build.py pages`: static pages about what a release launches, computed from the rendered environments.

To add a page NAME:

1. Add a module or package ``pipeline/pages/NAME`` with a constant ``PAGE``, a `Page` of `pipeline.pages.site`. Its ``content`` function
   receives the `Site` and returns the variables of the template.
2. Add ``pipeline/pages/templates/NAME.html``, a Jinja2 template that starts with ``{% extends "page.html" %}`` and fills
   ``{% block content %}``. ``parts.html`` has macros for the search field, the switch of environments and tables.
3. Add the page to ``PAGES`` in `pipeline.pages.contents`; the order is that of the navigation.

All pages share ``assets/site.js`` and ``assets/site.css``, which read these attributes:

- ``data-environment="dev"``: the element is visible only while dev is selected in the switch of environments.
- ``data-search="ID"`` on a search field: it filters the elements with ``data-row`` within the element ``ID``. A group of rows with
  the attribute ``data-group`` is hidden while it has no visible row.
- The address of a page can select an environment and search: ``resources.html?environment=dev&search=Data.Database``.
- ``class="cards"`` on a table: on a phone each row becomes a card; every cell needs ``data-label``. The macro ``scroll`` is for a wide
  table that scrolls within the page instead.

A page that cannot be produced raises PipelineError: the file says why, and the command exits with 1. An environment that cannot be rendered
has a ``problem`` instead of ``rendered``; every page prints it in the place of the environment (macro ``problems``).
The output is deterministic: no date, path or random value, and every set is sorted.
"""
