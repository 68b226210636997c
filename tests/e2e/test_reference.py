"""The reference of the HTTP interface at /docs, in Debian's Chromium."""
import pytest

from harness.browser import Browser
from web import Door


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.stop()


@pytest.fixture
def reference(chromium, bursard):
    """reference(hash, **options): a window on the page, ready."""
    def window(where="", **options):
        shown = chromium.page(bursard.http_addr, **options)
        shown.goto(f"{shown.base}/docs{where}")
        shown.get_by_role("heading", name="accounts", exact=True).wait_for()
        return shown
    yield window
    assert not chromium.end_windows()


def test_every_operation_is_there_and_opens(reference, bursard):
    document = Door(bursard.http_addr)("GET", "/openapi.json").json
    window = reference()
    assert window.locator("details.operation").count() == sum(len(item) for item in document["paths"].values())
    window.evaluate("document.querySelectorAll('details.operation').forEach((one) => { one.open = true; })")
    window.wait_for_function("() => !document.querySelector('details.operation:not(:has(> .what))')")
    assert window.locator("details.operation pre").count() > 100
    # Messages contain messages: a limit in an account, and its enum.
    account = window.locator("#getAccount")
    for name in ("Account", "Limit", "Dimension"):
        account.locator("summary").filter(has_text=name).get_by_text(name, exact=True).first.click()
    account.get_by_text("DIMENSION_COST", exact=True).wait_for()


def test_an_operation_has_an_address(reference):
    window = reference("#putTier")
    tier = window.locator("#putTier")
    assert tier.get_attribute("open") is not None
    tier.get_by_text("curl -X PUT").wait_for()
    assert "/v1/tiers/team?reason=" in tier.locator("pre").filter(has_text="curl").inner_text()
    window.locator("#getStatus > summary").click()
    window.wait_for_function("() => location.hash === '#getStatus'")


def test_words_find_operations(reference):
    window = reference()
    window.get_by_label("Find").fill("suspend post accounts")
    window.wait_for_function("() => document.getElementById('found').textContent === '2 operations'")
    assert window.locator("details.operation:visible .path").all_inner_texts() == [
        "/v1/accounts/{kind}/{id}/suspend", "/v1/accounts/{kind}/{id}/unsuspend"]


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_it_is_accessible_and_fits(reference, scheme):
    window = reference("#check", scheme=scheme, width=360)
    window.locator("#check .what").first.wait_for()
    assert not window.violations() and window.sideways() <= 0
