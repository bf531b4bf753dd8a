"""The pages of the site, in the order of the navigation."""

from pipeline.pages import alarms, outputs, parameters, releases
from pipeline.pages.architecture import page as architecture
from pipeline.pages.site import Page

PAGES: tuple[Page, ...] = (
    architecture.PAGE,
    parameters.PAGE,
    outputs.PAGE,
    alarms.PAGE,
    releases.PAGE,
)
