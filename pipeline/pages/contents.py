"""The pages of the site, in the order of the navigation."""

from pipeline.pages import alarms, outputs, parameters, releases
from pipeline.pages.access import page as access
from pipeline.pages.architecture import page as architecture
from pipeline.pages.inventory import costs, resources
from pipeline.pages.site import Page

PAGES: tuple[Page, ...] = (
    architecture.PAGE,
    resources.PAGE,
    access.PAGE,
    costs.PAGE,
    parameters.PAGE,
    outputs.PAGE,
    alarms.PAGE,
    releases.PAGE,
)
