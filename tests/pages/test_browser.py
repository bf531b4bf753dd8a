"""Every page in a real browser, from the file system: no error, no request, no barrier, no overflow, keyboard and paper."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.pages.contents import PAGES
from pipeline.pages.site import site_of
from pipeline.pages.writer import address, files, write
from pipeline.release.assemble import Release
from tests.conftest import ENVIRONMENTS, REGION
from tests.engines.fetch import axe_archive
from tests.engines.places import EngineError
from tests.pages.chromium import FLAGS, chromium, fetch_chromium

PHONE, DESKTOP = 360, 1440
# The inner width of A4 with the margins of the style sheet, in pixels of 1/96 inch.
PAPER = 688
# The smallest letters that print well, in the same pixels: 6.5 points.
SMALLEST = 8.6
ADDRESSES = [address(page) for page in PAGES]
WITH_SWITCH = [each for each in ADDRESSES if each != "releases.html"]


@pytest.fixture(scope="module")
def folder(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, in a folder with a space in its name."""
    target = tmp_path_factory.mktemp("site") / "the pages"
    write(files(site_of(release, REGION)), target)
    return target


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    assert program, "Chromium is missing: run `make setup`."
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    with tarfile.open(axe_archive()) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


class Visit:
    """A page in a context without a network, with what the browser complained about and asked for."""

    def __init__(
        self,
        browser: Browser,
        folder: Path,
        width: int = DESKTOP,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:
        self.folder, self.complaints, self.requests = folder, list[str](), list[str]()
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, name: str) -> Page:
        self.page.goto((self.folder / name).as_uri())
        return self.page

    def close(self) -> None:
        self.page.context.close()


def test_a_user_without_root_gets_the_command_that_installs_the_browser(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.pages.chromium.MACOS", tmp_path / "none")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="sudo apt-get install chromium"):
        fetch_chromium()


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Visit]:
    each = Visit(browser, folder)
    yield each
    each.close()


def overflow(page: Page) -> list[str]:
    """The elements that are wider than the window, unless they are in a part that scrolls."""
    found: list[str] = page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide) return [];
            return [...document.body.querySelectorAll("*")]
                .filter((each) => each.getBoundingClientRect().right > wide + 1 && !each.closest(".scroll > *"))
                .map((each) => `${each.tagName} ${each.id} ${each.className}`).slice(0, 5);
        }"""
    )
    return found


def barriers(page: Page, axe: str) -> list[str]:
    """What axe finds."""
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate(
        "() => axe.run({ resultTypes: ['violations'], preload: false })"
    )
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:150]} {each['nodes'][0]['failureSummary'][:200]}"
        for each in result["violations"]
    ]


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_loads_without_errors_requests_barriers_and_overflow(
    browser: Browser,
    folder: Path,
    axe: str,
    name: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    visit = Visit(browser, folder, width, scheme)
    page = visit.open(name)

    assert overflow(page) == []
    assert visit.complaints == []
    assert visit.requests
    assert [each for each in visit.requests if not each.startswith(("file:", "data:"))] == []
    assert barriers(page, axe) == []
    visit.close()


def test_a_barrier_an_overflow_and_a_request_are_found(visit: Visit, axe: str) -> None:
    page = visit.open("outputs.html")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
            `<img src="https://example.invalid/pixel"><div style="width: 5000px">wide</div>`)"""
    )
    page.wait_for_timeout(50)

    assert any(each.startswith("image-alt") for each in barriers(page, axe))
    assert overflow(page)
    assert "https://example.invalid/pixel" in visit.requests
    assert visit.complaints


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_search_works_with_the_keyboard(visit: Visit, name: str) -> None:
    page = visit.open(name)
    field = page.locator("[data-search]").first
    rows = page.locator(f"#{field.get_attribute('data-search')} [data-row]:visible")
    before = rows.count()
    assert before > 1

    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("zzz no row has this")
    expect(rows).to_have_count(0)
    expect(page.locator(f"#{field.get_attribute('aria-describedby')}")).to_have_text(
        "Nothing found"
    )
    page.keyboard.press("Escape")
    expect(rows).to_have_count(before)
    expect(field).to_have_value("")


@pytest.mark.parametrize("name", WITH_SWITCH)
def test_the_switch_of_environments_works_with_the_keyboard(visit: Visit, name: str) -> None:
    page = visit.open(name)
    page.locator("[data-switch] input:checked").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")

    assert page.locator("[data-switch] input:checked").get_attribute("value") == "prod"
    shown = page.evaluate(
        """() => [...new Set([...document.querySelectorAll("[data-environment]")]
            .filter((each) => !each.hidden).map((each) => each.dataset.environment))]"""
    )
    assert shown
    assert all("prod" in each.split() for each in shown)


def test_the_choice_of_an_environment_holds_on_the_next_page(visit: Visit) -> None:
    page = visit.open("outputs.html")
    page.get_by_label("staging", exact=True).check()
    page.get_by_role("link", name="Alarms", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Alarms")
    assert page.locator("[data-switch] input:checked").get_attribute("value") == "staging"


def test_a_box_shows_its_lines_and_leads_to_its_resources(visit: Visit) -> None:
    page = visit.open("index.html")
    picture = page.locator("[data-picture]:visible")
    box = picture.locator("[data-box=Database] a")
    hidden = picture.locator(".flow.common").first
    expect(hidden).to_be_hidden()
    page.get_by_label("logs and keys").focus()
    page.keyboard.press("Space")
    expect(hidden).to_be_visible()

    box.focus()
    expect(picture.locator(".flow.near").first).to_be_visible()
    assert picture.locator(".flow.near").count() < picture.locator(".flow").count()
    page.keyboard.press("Enter")
    expect(page.locator("#dev-Database")).to_be_in_viewport()


def test_the_assumed_use_changes_the_cost(visit: Visit) -> None:
    """With the keyboard; Reset restores the figures of the templates."""
    page = visit.open("costs.html")
    total = page.locator("[data-total=dev]")
    before = total.text_content() or ""
    page.get_by_label("requests to the load balancer").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("11")
    expect(total).to_have_text(f"{float(before) + 10 * 0.6:.2f}")
    expect(page.locator("[data-idle=dev]")).not_to_have_text(total.text_content() or "")
    page.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Enter")
    expect(total).to_have_text(before)
    assert visit.complaints == []


def test_the_differences_are_marked(visit: Visit) -> None:
    page = visit.open("index.html")
    page.get_by_label("prod", exact=True).check()
    card = page.locator("[data-picture]:visible [data-box=NatGateway2] .card")
    before = card.evaluate("each => getComputedStyle(each).stroke")
    page.get_by_label("differences between environments").check()
    assert card.evaluate("each => getComputedStyle(each).stroke") != before


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_prints_legibly(visit: Visit, name: str) -> None:
    """On paper, nothing is cut off, letters are large enough and dark, and the navigation is left out."""
    page = visit.open(name)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 1000})

    assert overflow(page) == []
    assert not page.locator(".top nav").is_visible()
    small: list[str] = page.evaluate(
        """(least) => [...document.querySelectorAll("main :not(svg *)")]
            .filter((each) => each.checkVisibility() && [...each.childNodes].some((part) => part.nodeType === 3 && part.data.trim()))
            .filter((each) => parseFloat(getComputedStyle(each).fontSize) < least)
            .map((each) => `${each.tagName} ${getComputedStyle(each).fontSize}`).slice(0, 5)""",
        SMALLEST,
    )
    assert small == []
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


def test_without_scripts_every_environment_is_shown(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    assert page.locator("[data-picture]:visible").count() == len(ENVIRONMENTS)
    context.close()


def test_an_address_can_select_an_environment_and_search(visit: Visit) -> None:
    page = visit.open("outputs.html")
    page.goto(f"{page.url}?environment=staging&search=DatabaseHost")
    assert page.locator("[data-switch] input:checked").get_attribute("value") == "staging"
    expect(page.locator("#outputs [data-row]:visible")).to_have_count(1)


def test_the_resources_of_a_box_lead_to_their_rows(visit: Visit) -> None:
    page = visit.open("index.html")
    page.get_by_label("prod", exact=True).check()
    box = page.locator("#prod-Database")
    box.locator("summary").click()
    box.get_by_role("link", name="Data.DatabaseParameterGroup").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Resources")
    row = page.locator(":target")
    expect(row).to_be_in_viewport()
    expect(row).to_contain_text("AWS::RDS::DBParameterGroup")
    assert page.locator("[data-switch] input:checked").get_attribute("value") == "prod"
