"""The dashboard, as people use it: in a real Chromium, against a real bursard. No test may leave an error in the console or a request to
another host; every view is looked at by axe-core in both colour schemes, and at three widths."""
import contextlib
import http.server
import os
import re
import threading

import pytest

from bots import unique
from dashboard_desk import Desk, confirm, focus, ready
from streams import Caller
from harness import until
from harness.paths import ROOT
from harness.ports import free_port

VIEWS = {"now": "Now", "money": "Money", "users": "Users", "users/ann": "ann", "tiers": "Tiers", "tiers/pro": "pro", "pool": "Pool",
         "prices": "Prices", "prices/import": "Import prices", "keys": "Keys", "audit": "Audit"}
WIDTHS = (360, 1280, 2560)
PICTURES = ROOT / "docs" / "img"


@pytest.fixture
def million(postgres):
    """A million users."""
    postgres.execute("""insert into accounts (tenant, kind, id, tier, version) select 'default', 1, 'user-' || lpad(g::text, 7, '0'),
        case when g % 10 = 0 then 'pro' else 'free' end, 1 from generate_series(1, 1000000) g""")
    postgres.execute("analyze accounts")


@contextlib.contextmanager
def serving(port, page):
    """A site of somebody else: the page, and /frame, which leads to `target`."""
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302 if self.path == "/frame" else 200)
            self.send_header("Location", getattr(server, "target", ""))
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def limit(window, name):
    return window.locator(f'[data-limit="{name}"]').first


def bar(window, name):
    return limit(window, name).get_by_role("meter").get_attribute("aria-valuetext")


def test_a_user_among_a_million_is_found_and_upgraded(million, desk):
    desk.check("user-0700001")
    window = desk.login(view="users")
    window.get_by_text("1,000,000 users found").wait_for()
    window.get_by_label("User id begins with").fill("user-070000")
    window.get_by_text("10 users found").wait_for()
    window.get_by_role("link", name="user-0700001").click()
    window.get_by_role("heading", name="user-0700001", level=1).wait_for()
    limit(window, "requests_per_day").wait_for()
    assert bar(window, "requests_per_day") == "1 of 50 used"
    window.get_by_role("button", name="Upgrade to pro").click()
    change = window.get_by_role("dialog").get_by_role("row", name=re.compile("Requests per day"))
    assert change.inner_text().split() == "Requests per day 50 1,000 higher".split()
    confirm(window, "Change the tier", reason="pays now")
    window.get_by_role("button", name="Upgrade to enterprise").wait_for()
    assert bar(window, "requests_per_day") == "1 of 1,000 used"
    entry = desk.admin("ListAudit", desk.bots.admin_pb.ListAuditRequest(target="user/user-0700001")).entries[0]
    assert entry.reason == "pays now" and "admin of a test" in entry.actor


def test_a_link_logs_in_without_a_key(desk):
    pb = desk.bots.admin_pb
    path = desk.admin("CreateLogin", pb.CreateLoginRequest()).path
    window = desk.window()
    window.goto(window.base + path)
    ready(window, "Now")
    assert window.get_by_label("Tenant").input_value() == "default"  # an operator sees one tenant at a time
    window.get_by_role("button", name="Log out").click()
    window.get_by_text("You have logged out.").wait_for()
    window.reload()
    window.get_by_label("Key").wait_for()
    window.expected.append("404 (Not Found)")
    window.goto(window.base + path)
    assert "This link does not log you in" in window.locator("body").inner_text()


def test_nobody_logs_in_while_there_is_no_key(chromium, bursard):
    window = chromium.page(bursard.http_addr)
    window.show("users")
    ready(window, "Users")
    window.get_by_text("there is no key yet").wait_for()
    assert not window.get_by_role("button", name="Log out").count() and not chromium.end_windows()


def test_what_is_done_to_a_user_says_what_it_changes(desk):
    user = unique("user")
    desk.check(user)
    window = desk.login(view=f"users/{user}")
    window.get_by_role("button", name="Override a limit").click()
    window.get_by_label("Limit", exact=True).select_option("requests_per_day")
    window.get_by_label("New amount").fill("75")
    window.get_by_label("Ends").fill("2099-12-24T12:00")
    assert "It ends on Dec 24, 2099" in window.get_by_role("dialog").inner_text()
    confirm(window, "Set the override")
    window.wait_for_function("""() => document.querySelector('[data-limit="requests_per_day"]').innerText.includes("override")""")
    assert bar(window, "requests_per_day") == "1 of 75 used"
    window.get_by_role("button", name="Grant grace").click()
    confirm(window, "Grant grace")
    window.get_by_text("Grace: quotas and budgets are 100% higher").wait_for()
    assert bar(window, "requests_per_day") == "1 of 150 used"
    window.get_by_role("button", name="Suspend").click()
    confirm(window, "Suspend", reason="chargeback")
    window.get_by_text("Reason: chargeback").wait_for()
    assert not desk.check(user).allowed
    window.get_by_role("button", name="Unsuspend").click()
    window.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert not desk.check(user).allowed


def test_a_denial_arrives_while_one_looks(desk):
    user = unique("user")
    window, own = desk.login(), desk.login(view=f"users/{user}")
    window.get_by_text("Live", exact=True).wait_for()

    def denied_until(shown):
        # The workers notice within a second that somebody watches; what they deny until then is not shown.
        until(lambda: not desk.check(user, interface="telegram").allowed and shown.count() > 0, "the denial in the page")

    row = window.get_by_role("row", name=re.compile(f"{user}.*Request rate.*telegram"))
    denied_until(row)
    assert "requests per minute" in row.first.inner_text()
    hot = window.get_by_role("list", name="Users with the most checks").get_by_role("link", name=user)
    hot.focus()
    was = hot.locator("xpath=../..").inner_text()
    denied_until(own.get_by_text("denied: Request rate"))
    until(lambda: desk.check(user) and hot.locator("xpath=../..").inner_text() != was, "the list being drawn again")
    assert focus(window) == user
    until(lambda: bar(own, "requests_per_minute") == "3 of 3 used", "the bar following")
    window.get_by_role("link", name=user).first.click()
    window.get_by_role("heading", name=user, level=1).wait_for()


def test_a_tier_is_edited_with_a_preview(desk):
    pb, user = desk.bots.admin_pb, unique("user")
    desk.admin("PutAccount", pb.PutAccountRequest(ref=pb.AccountRef(id=user), tier="free"))
    window = desk.login(view="tiers")
    window.get_by_role("link", name="Edit free").click()
    window.get_by_label("Amount of Requests per day").fill("20")
    window.get_by_text("1 limit changed, not saved.").wait_for()
    window.get_by_role("button", name="Preview and save").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_text("It touches 1 user").wait_for()
    assert dialog.get_by_role("row", name=re.compile("Requests per day")).inner_text().split() == "Requests per day 50 20 lower".split()
    dialog.get_by_text("Nobody on this tier has used anything this month.").wait_for()
    assert not desk.admin("ListAudit", pb.ListAuditRequest(action="tier.")).entries
    confirm(window, "Save the tier", reason="fewer")
    amounts = {row.name: row.amount for row in desk.admin("GetTier", pb.GetTierRequest(name="free")).limits}
    assert amounts["requests_per_day"] == 20 and amounts["requests_per_minute"] == 3 and amounts["cost_per_day"] == 250_000_000
    assert desk.admin("ListAudit", pb.ListAuditRequest(action="tier.")).entries[0].reason == "fewer"


def test_a_tier_that_somebody_else_has_changed_is_loaded_again(desk):
    pb = desk.bots.admin_pb
    window = desk.login(view="tiers/pro")
    window.expected.append("412 (Precondition Failed)")
    window.get_by_label("Pool priority").fill("7")
    tier = desk.admin("GetTier", pb.GetTierRequest(name="pro"))
    tier.pool_concurrent = 6
    desk.admin("PutTier", pb.PutTierRequest(tier=tier, reason="meanwhile"))
    window.get_by_role("button", name="Preview and save").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_role("button", name="Save the tier").click()
    dialog.get_by_text("Somebody else has changed it").wait_for()
    told = dialog.get_by_role("row", name=re.compile("Pool concurrent"))
    told.wait_for()
    assert told.inner_text().split() == "Pool concurrent 3 6".split()
    assert desk.admin("ListAudit", pb.ListAuditRequest(action="tier.")).entries[0].reason == "meanwhile"
    dialog.get_by_role("button", name="Load it again").click()
    dialog.wait_for(state="detached")
    until(lambda: window.get_by_label("Slots at once").input_value() == "6", "the tier being loaded again")
    window.get_by_label("Pool priority").fill("7")
    window.get_by_role("button", name="Preview and save").click()
    confirm(window, "Save the tier", reason="seen")
    saved = desk.admin("GetTier", pb.GetTierRequest(name="pro"))
    assert (saved.pool_priority, saved.pool_concurrent) == (7, 6)


def test_an_account_that_somebody_else_has_changed_is_not_changed_again(desk):
    pb, user = desk.bots.admin_pb, unique("user")
    ref = pb.AccountRef(id=user)
    desk.admin("PutAccount", pb.PutAccountRequest(ref=ref, tier="free"))
    window = desk.login(view=f"users/{user}")
    window.expected.append("412 (Precondition Failed)")
    window.get_by_role("button", name="Suspend").click()
    desk.admin("SetTier", pb.SetTierRequest(ref=ref, tier="pro", reason="meanwhile"))
    desk.admin("OverrideLimits", pb.OverrideLimitsRequest(ref=ref, limits=[desk.bots.calendar("day", "requests", 70)]))
    dialog = window.get_by_role("dialog")
    dialog.get_by_role("button", name="Suspend").click()
    dialog.get_by_text("Somebody else has changed it").wait_for()
    dialog.get_by_role("row", name=re.compile("^Tier free pro$")).wait_for()
    dialog.get_by_role("row", name=re.compile("– 70 new limit")).wait_for()
    assert not window.violations() and desk.check(user).allowed
    dialog.get_by_role("button", name="Load it again").click()
    window.get_by_role("button", name="Upgrade to enterprise").wait_for()
    window.get_by_role("button", name="Suspend").click()
    confirm(window, "Suspend", reason="seen")
    until(lambda: not desk.check(user).allowed, "the suspension")


def test_a_pool_that_somebody_else_has_changed_is_not_changed_again(desk):
    pb = desk.bots.admin_pb
    ref = pb.PoolRef(name="shared")
    desk.admin("PutPool", pb.PutPoolRequest(ref=ref, slots=4))
    window = desk.login(view="pool?pool=shared")
    window.expected.append("412 (Precondition Failed)")
    window.get_by_role("button", name="Change slots").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Slots").fill("9")
    desk.admin("PutPool", pb.PutPoolRequest(ref=ref, slots=6, reason="meanwhile"))
    dialog.get_by_role("button", name="Change the slots").click()
    dialog.get_by_role("row", name=re.compile("^Slots 4 6$")).wait_for()
    dialog.get_by_role("button", name="Load it again").click()
    window.get_by_role("button", name="Change slots").click()
    dialog.get_by_label("Slots").fill("9")
    confirm(window, "Change the slots", reason="seen")
    assert desk.admin("GetPool", pb.GetPoolRequest(ref=ref)).slots == 9


def test_a_users_page_shows_their_place_behind_a_hundred_others(desk):
    pb, bot, user = desk.bots.admin_pb, desk.key("bot"), unique("user")
    desk.admin("PutPool", pb.PutPoolRequest(ref=pb.PoolRef(name="long"), slots=1, estimate_us=1_000_000))
    with contextlib.ExitStack() as stack:
        def ask(who, **fields):
            caller = Caller(desk.bots, who, pool="long", secret=bot, **fields)
            stack.callback(caller.close)
            return caller

        holder = ask(unique("user"))
        holder.granted()
        for _ in range(101):
            ask(unique("user")).queued()
        ask(user, request_id="mine").queued()
        window = desk.login(view=f"users/{user}")
        row = window.get_by_role("table", name="Slots and places in queues").get_by_role("row", name=re.compile("mine"))
        row.wait_for()
        assert re.search(r"^long\s+waits: .*\s102\s+about .*\smine$", row.inner_text(), re.DOTALL)
        window.show(f"users/{holder.user}")
        window.get_by_role("row", name=re.compile("^long runs")).wait_for()


def test_money_shows_what_each_tier_costs_by_day(desk, postgres):
    pb, user = desk.bots.admin_pb, unique("user")
    desk.admin("PutAccount", pb.PutAccountRequest(ref=pb.AccountRef(id=user), tier="pro"))
    window = desk.login(view="money")
    for one, tokens in ((user, 2000), (unique("user"), 1000)):
        answer = desk.check(one, model="gpt-4o", input_tokens=tokens, max_output_tokens=1)
        desk.bots.limiter.Record(desk.bots.limiter_pb.RecordRequest(reservation=desk.bots.ref(answer), usage=desk.bots.types.TokenUsage(
            input_tokens=tokens)), metadata=desk.metadata, timeout=20)
    until(lambda: len(desk.admin("GetStats", pb.GetStatsRequest(by_tier=True)).by_tier) == 2, "the use in the ledger")
    window.reload()
    tiers = window.get_by_role("list", name="By tier").get_by_role("listitem")
    tiers.first.wait_for()
    assert [text.split()[0] for text in tiers.all_inner_texts()] == ["pro", "free"]
    desk.admin("SetTier", pb.SetTierRequest(ref=pb.AccountRef(id=user), tier="free"))  # what was used stays where it was
    window.get_by_label("Cost by", exact=True).select_option("tier")
    series = window.locator("ul.legend").first.get_by_role("listitem")
    until(lambda: series.all_inner_texts() == ["pro", "free"], "the chart by tier")
    assert not window.get_by_text("the tier is not known").count()
    postgres.execute("DELETE FROM usage_shared_daily WHERE kind = 6 AND id = 'pro'")  # as an earlier version has left it
    window.reload()
    window.get_by_text("the tier is not known").wait_for()
    tiers.first.wait_for()
    assert [re.match("free|not known", text)[0] for text in tiers.all_inner_texts()] == ["not known", "free"]


def test_prices_are_imported_after_their_difference_was_shown(desk):
    pb = desk.bots.admin_pb
    window = desk.login(view="prices/import")
    window.get_by_label("Or paste it").fill("provider,model,input_usd_per_1m,output_usd_per_1m\nopenai,gpt-4o,3,12\nopenai,brand-new,1,2\n")
    window.get_by_role("button", name="Show what would change").click()
    window.get_by_role("row", name=re.compile("gpt-4o")).wait_for()
    assert "2.5 → 3" in window.get_by_role("row", name=re.compile("gpt-4o")).inner_text()
    price = pb.GetPriceRequest(tenant="default", provider="openai", model="gpt-4o")
    assert desk.admin("GetPrice", price).input == "2.5"
    window.get_by_role("button", name="Import these changes").click()
    confirm(window, "Import")
    window.get_by_text("2 prices are imported.").wait_for()
    assert desk.admin("GetPrice", price).input == "3"
    window.get_by_role("link", name="See them").click()
    window.get_by_label("Model begins with").fill("brand-new")
    window.get_by_role("row", name=re.compile(r"brand-new.*\$1.*\$2")).wait_for()
    window.expected.append("400 (Bad Request)")
    window.show("prices/import")
    window.get_by_label("Or paste it").fill("provider,model,price\n")
    window.get_by_role("button", name="Show what would change").click()
    alert = window.get_by_role("alert")
    alert.wait_for()
    assert "unknown column" in alert.inner_text() and "INVALID_ARGUMENT" in alert.inner_text()


def test_whoever_is_logged_in_with_a_key_is_logged_out_when_it_is_revoked(desk):
    window = desk.login(view="keys")
    window.get_by_role("button", name="Create a key").click()
    window.get_by_label("Role").select_option("viewer")
    window.get_by_label("Label").fill("a guest")
    confirm_create = window.get_by_role("dialog").get_by_role("button", name="Create the key")
    confirm_create.click()
    secret = window.locator(".secret").inner_text()
    window.get_by_role("button", name="Done").click()
    guest, elsewhere = desk.login(secret), desk.login(secret, view="users")
    guest.get_by_text("Live", exact=True).wait_for()
    elsewhere.get_by_label("User id begins with").wait_for()
    window.get_by_role("row", name=re.compile("a guest")).get_by_role("button", name="Revoke").click()
    confirm(window, "Revoke")
    guest.get_by_text("Your session has ended").wait_for()
    elsewhere.get_by_label("User id begins with").fill("x")
    elsewhere.get_by_text("Your session has ended").wait_for()
    assert elsewhere.get_by_label("Key").is_visible() and not elsewhere.get_by_role("navigation").count()


def test_a_one_time_link_logs_in_and_the_second_time_says_why_not(desk):
    window = desk.window()
    link = window.base + desk.admin("CreateLogin", desk.bots.admin_pb.CreateLoginRequest()).path
    window.goto(link)
    window.get_by_role("heading", name="Now", level=1).wait_for()
    assert "login" not in window.url
    window.expected.append("404 (Not Found)")  # /favicon.ico, which plain text cannot replace by an icon of its own
    window.goto(link)
    window.get_by_text("This link does not log you in").wait_for()


def test_what_a_role_may_not_do_is_not_there(desk):
    viewer = desk.login(desk.key("viewer"), view="users/ann")
    limit(viewer, "requests_per_day").wait_for()
    assert viewer.get_by_role("navigation", name="Views").get_by_role("link").all_inner_texts() == ["Now", "Money", "Users", "Tiers", "Pool", "Prices", "Alerts"]
    assert not viewer.get_by_role("group", name="Actions on ann").count()
    viewer.show("tiers/pro")
    assert viewer.get_by_label("Amount of Requests per day").is_disabled()
    viewer.show("keys")
    viewer.get_by_role("heading", name="Now", level=1).wait_for()
    bot = desk.login(desk.key("bot"))
    bot.get_by_text("A key of the role bot makes requests, but does not read.").wait_for()


def test_a_user_sees_their_own_use_and_nothing_else(desk):
    desk.check("ann")
    window = desk.login(desk.key("user", account="ann"))
    limit(window, "requests_per_day").wait_for()
    assert bar(window, "requests_per_day") == "1 of 50 used"
    window.get_by_role("heading", name="Your cost this month").wait_for()
    assert window.get_by_role("navigation", name="Views").get_by_role("link").all_inner_texts() == ["My usage"]
    window.show("users/ben")
    window.get_by_role("heading", name="My usage", level=1).wait_for()
    window.goto(window.base + "/?embed=1&theme=dark")
    limit(window, "requests_per_day").wait_for()
    assert not window.get_by_role("navigation").count() and not window.get_by_role("button").count()
    assert window.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark" and not window.violations()


def test_it_is_shown_in_a_frame_where_that_is_configured(chromium, start_bursard, fleet_at):
    port = free_port()
    with serving(port, b"""<!doctype html><html lang=en><title>Our shop</title><iframe title=Usage src="/frame"></iframe>""") as outside:
        server = start_bursard(embed_origins=f"http://127.0.0.1:{port}")
        desk = Desk(chromium, server, fleet_at(server.grpc_addr))
        outside.target = f"http://{server.http_addr}/?embed=1"
        window = desk.login(desk.key("user", account="ann"))
        limit(window, "requests_per_day").wait_for()
        window.goto(f"http://127.0.0.1:{port}/")
        window.frame_locator("iframe").locator('[data-limit="requests_per_day"]').wait_for()
    assert not [text for text in chromium.end_windows() if "another host" not in text]


@pytest.fixture
def furnished(desk):
    """Something in every view."""
    pb = desk.bots.admin_pb
    desk.admin("PutAccount", pb.PutAccountRequest(ref=pb.AccountRef(id="ann"), tier="pro", team="red"))
    desk.admin("PutPool", pb.PutPoolRequest(ref=pb.PoolRef(name="agents"), slots=4))
    for _ in range(4):
        desk.check("ann", model="gpt-4o", input_tokens=100, max_output_tokens=100)
        desk.check("ben")
    return desk


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_every_view_is_accessible_and_fits_every_width(furnished, scheme):
    window = furnished.login(scheme=scheme)
    wrong = []
    for view, heading in VIEWS.items():
        window.show(view)
        ready(window, heading)
        wrong += [f"{view} {scheme}: {text}" for text in window.violations()]
        for width in WIDTHS if scheme == "light" else ():  # colours change no width
            window.set_viewport_size({"width": width, "height": 800})
            if window.sideways() > 0:
                wrong.append(f"{view} at {width}: {window.sideways()} px too wide")
    assert not wrong, "\n".join(wrong)


def test_the_menu_and_a_dialog_are_accessible_on_a_phone(furnished):
    window = furnished.login(view="users/ann", width=360, height=740)
    window.get_by_role("button", name="Menu").click()
    assert window.get_by_role("link", name="Money").is_visible() and not window.violations()
    window.get_by_label("Colours").select_option("dark")
    window.get_by_label("Colours").press("Escape")
    assert not window.get_by_role("link", name="Money").is_visible() and focus(window) == "Menu"
    window.get_by_role("button", name="Override a limit").click()
    window.get_by_label("New amount").fill("9")
    assert not window.violations() and window.sideways() <= 0
    window.reload()
    assert window.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_keyboard_is_enough(furnished):
    key = furnished.key("admin")
    window = furnished.window()
    window.show("now")
    window.get_by_label("Key").wait_for()
    window.keyboard.type(key)
    window.keyboard.press("Enter")
    ready(window, "Now")
    assert focus(window) == "Now"  # a screen reader reads the new view's name
    window.reload()
    ready(window, "Now")
    window.keyboard.press("Tab")
    assert focus(window) == "Skip to the content"
    window.keyboard.press("Enter")
    assert window.evaluate("document.activeElement.id") == "content" and window.url.endswith("/#/now")
    window.get_by_role("link", name="Bursar", exact=True).focus()
    for _ in range(3):
        window.keyboard.press("Tab")
    assert focus(window) == "Users"
    window.keyboard.press("Enter")
    ready(window, "Users")
    window.get_by_label("User id begins with").focus()
    window.keyboard.type("ann")
    window.get_by_text("1 user found").wait_for()
    window.get_by_role("link", name="ann").focus()
    window.keyboard.press("Enter")
    ready(window, "ann")
    window.get_by_role("button", name="Change tier").focus()
    window.keyboard.press("Enter")
    window.get_by_role("dialog").wait_for()
    window.keyboard.type("enterprise")
    window.get_by_role("dialog").get_by_text("Requests per day").wait_for()
    for _ in range(3):  # the table of what changes, the reason, Cancel
        window.keyboard.press("Tab")
    window.keyboard.press("Tab")
    assert focus(window) == "Change the tier"
    window.keyboard.press("Enter")
    window.get_by_role("dialog").wait_for(state="detached")
    until(lambda: focus(window) == "Change tier", "the focus being where the dialog was opened")
    chart = window.get_by_role("slider", name="Cost by day: a point in time")
    chart.focus()
    window.keyboard.press("Home")
    assert re.match(r"\w{3}, \w{3} \d+, \d{4}: Cost \$", chart.get_attribute("aria-valuetext"))


@pytest.mark.parametrize("locale, hours, price", (("en-US", r"\d:\d\d:\d\d.(AM|PM)", "$5.00"), ("de-DE", r"\d\d:\d\d:\d\d\.", "5,00 $")))
def test_times_and_money_are_the_readers(desk, locale, hours, price):
    pb = desk.bots.admin_pb
    desk.admin("PutAccount", pb.PutAccountRequest(ref=pb.AccountRef(id="ann"), tier="pro"))
    window = desk.login(desk.key("user", account="ann"), locale=locale)
    limit(window, "cost_per_day").wait_for()
    assert re.search(hours, window.get_by_text("As of").inner_text())
    assert price in limit(window, "cost_per_day").inner_text().replace("\xa0", " ")


def test_what_fails_says_why_and_can_be_repeated(desk):
    window = desk.login(view="users")
    window.get_by_text("users found").or_(window.get_by_text("No user matches.")).first.wait_for()
    window.expected.append("Failed to load resource")
    window.context.set_offline(True)
    window.get_by_label("User id begins with").fill("ann")
    window.get_by_text("The server cannot be reached.").wait_for()
    window.context.set_offline(False)
    window.get_by_role("button", name="Try again").click()
    window.get_by_text("No user matches.").wait_for()


def test_the_policy_of_the_page_is_strict(desk):
    window = desk.window()
    policy = window.goto(window.base + "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_the_pictures_of_the_docs_are_there():
    text = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\(img/(dashboard-[\w-]+\.webp)\)", text))
    assert named and named == {path.name for path in PICTURES.glob("dashboard-*.webp")}


@pytest.mark.skipif(os.environ.get("BURSAR_PICTURES") != "write", reason="BURSAR_PICTURES=write makes the pictures of docs/dashboard.md again")
def test_pictures(furnished, postgres):
    import dashboard_history
    dashboard_history.fill(postgres, furnished)
    for name, view, options in (("now", "now", {}), ("money", "money", {}), ("user-dark", "users/ann", {"scheme": "dark"}),
                                ("tier", "tiers/free", {}), ("phone", "users/ann", {"width": 360, "height": 740})):
        window = furnished.login(furnished.key("admin", label="ops"), view=view, **options)
        dashboard_history.stage(furnished, window, name)
        window.picture(PICTURES / f"dashboard-{name}.webp")
