"""The pages of the site, in the order of the navigation."""

from pipeline.pages import outputs
from pipeline.pages.architecture import page as architecture
from pipeline.pages.site import Page

PAGES: tuple[Page, ...] = (architecture.PAGE, outputs.PAGE)
