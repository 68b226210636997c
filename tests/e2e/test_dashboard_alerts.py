"""The dashboard's view of alerts, in a real Chromium. No process has the role alerts here: what it would store is stored by SQL."""
import re

import pytest

from bots import unique
from dashboard_desk import confirm, focus, ready
from harness import until

SECTIONS = {"alerts": "Alerts", "alerts/rules": "Alert rules", "alerts/channels": "Alert channels", "alerts/deliveries": "Alert deliveries"}
WAITING, DELIVERED, DEAD = 1, 2, 3
THRESHOLD, SUSPENDED = 1, 5
WARNING, CRITICAL = 2, 3
USER, TEAM = 1, 2


@pytest.fixture
def bursard(start_bursard):
    return start_bursard(roles="serve,ledger,http")


class Store:
    """What the role alerts stores."""

    def __init__(self, postgres):
        self.postgres = postgres

    def event(self, kind, severity, account_kind=0, account="", tenant="default", rule="limits", **fields):
        row = {"tenant": tenant, "rule": rule, "kind": kind, "severity": severity, "account_kind": account_kind, "account": account, **fields}
        return self.postgres.value(f"insert into alert_events (at, {', '.join(row)}) values (now(), {', '.join(['%s'] * len(row))}) returning id", *row.values())

    def budget(self, account_kind, account, percent, severity=WARNING):
        """So many percent of a budget of $100 are used."""
        return self.event(THRESHOLD, severity, account_kind, account, limit_name="cost_per_month", dimension=4, unit=2, used=percent * 10**9, amount=100 * 10**9,
                          percent=percent, threshold=percent * 10**9)

    def delivery(self, channel, state=DEAD, attempts=2, status=503, error="HTTP 503"):
        made = self.postgres.value("""insert into alert_deliveries (message_id, tenant, channel, events, state, attempts, created_at, give_up_at, next_at, ended_at, status, error)
            values (%s, 'default', %s, '{1}', %s, %s, now(), now(), now() + interval '1 hour', now(), %s, %s) returning id""", unique("msg"), channel, state, attempts, status, error)
        for number in range(1, attempts + 1):
            self.attempt(made, number, status, error)
        return made

    def attempt(self, delivery, number, status, error):
        self.postgres.execute("insert into alert_attempts values (%s, %s, now(), 12000, %s, %s)", delivery, number, status, error)

    def finish(self, delivery, state, status, error=""):
        """An attempt is over, and with it the message."""
        self.attempt(delivery, 1, status, error)
        self.postgres.execute("update alert_deliveries set state = %s, attempts = 1, status = %s, error = %s, ended_at = now() where id = %s", state, status, error, delivery)

    def channel(self, name, tenant="default"):
        """Its row as a dict of JSON."""
        return self.postgres.value("select to_jsonb(c) from alert_channels c where tenant = %s and name = %s", tenant, name)

    def rule(self, name, tenant="default"):
        return self.postgres.value("select to_jsonb(r) from alert_rules r where tenant = %s and name = %s", tenant, name)

    def audit(self, action):
        return self.postgres.query("select target, reason from audit_log where action = %s order by id", action)


@pytest.fixture
def store(postgres):
    return Store(postgres)


def make_webhook(window, name, url="https://hooks.example.org/bursar"):
    """Makes a webhook channel, and answers the secret that is shown."""
    window.get_by_role("button", name="Make a channel").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("URL", exact=True).fill(url)
    dialog.get_by_label("Reason").fill("somebody has to know")
    dialog.get_by_role("button", name="Save the channel").click()
    secret = window.locator(".secret")
    secret.wait_for()
    text = secret.inner_text()
    window.get_by_role("button", name="Done").click()
    window.get_by_role("dialog").wait_for(state="detached")
    return text


def act(window, on, what):
    window.get_by_role("group", name=f"Actions on {on}", exact=True).get_by_role("button", name=what).click()


def test_the_signing_secret_of_a_new_webhook_is_shown_once(desk, store):
    window = desk.login(view="alerts/channels", permissions=["clipboard-read", "clipboard-write"])
    window.get_by_text("There is no channel").wait_for()
    window.get_by_role("button", name="Make a channel").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("ops")
    dialog.get_by_label("URL", exact=True).fill("https://hooks.example.org/bursar")
    dialog.get_by_text("Time, order and words").click()
    dialog.get_by_label("Quiet from").fill("22:00")
    dialog.get_by_label("Quiet to").fill("07:30")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    dialog.get_by_role("row", name="Quiet hours 22:00 to 07:30, Europe/Berlin").wait_for()
    dialog.get_by_label("Reason").fill("somebody has to know")
    dialog.get_by_role("button", name="Save the channel").click()
    secret = window.locator(".secret").inner_text()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}=*", secret)
    window.get_by_role("button", name="Copy").click()
    window.get_by_role("button", name="Copied").wait_for()
    assert window.evaluate("navigator.clipboard.readText()") == secret
    window.get_by_role("button", name="Done").click()
    row = window.get_by_role("row", name=re.compile("ops Webhook"))
    row.wait_for()
    assert "signing secrets: set" in row.inner_text() and "quiet 22:00 to 07:30, Europe/Berlin" in row.inner_text()
    window.reload()
    ready(window, "Alert channels")
    assert secret not in window.content()
    kept = store.channel("ops")
    assert (kept["quiet_from"], kept["quiet_to"], kept["target"]) == (22 * 60, 7 * 60 + 30, "https://hooks.example.org/bursar")
    assert secret in str(kept["secret"]) and store.audit("alert_channel.put") == [("ops", "somebody has to know")]


def test_what_is_left_empty_of_a_channels_secrets_is_kept(desk, store):
    window = desk.login(view="alerts/channels")
    window.get_by_role("button", name="Make a channel").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Kind", exact=True).select_option("telegram")
    assert not dialog.get_by_label("Signing secrets").is_visible() and not dialog.get_by_label("URL", exact=True).is_visible()
    dialog.get_by_label("Name", exact=True).fill("night")
    dialog.get_by_label("Id of the chat").fill("-1001234567890")
    dialog.get_by_label("The bot's token").fill("123456:ABC-def")
    confirm(window, "Save the channel")
    window.get_by_role("row", name=re.compile("night Telegram")).get_by_text("token: set").wait_for()
    act(window, "night", "Edit")
    assert dialog.get_by_label("The bot's token").input_value() == ""
    assert dialog.get_by_role("button", name="Save the channel").is_disabled()
    dialog.get_by_label("From severity").select_option("critical")
    dialog.get_by_role("row", name="From severity info critical").wait_for()
    confirm(window, "Save the channel", reason="only what burns")
    window.get_by_text("critical and above").wait_for()
    kept = store.channel("night")
    assert kept["least"] == CRITICAL and kept["secret"]["token"] == "123456:ABC-def"


def test_a_webhooks_headers_are_cleared(desk, store, postgres):
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops")
    dialog = window.get_by_role("dialog")
    act(window, "ops", "Edit")
    assert not dialog.get_by_label("Without headers of your own").is_visible()
    dialog.get_by_label("Headers of your own").first.fill("X-Team: ops")
    confirm(window, "Save the channel")
    window.get_by_text("signing secrets, headers: set").wait_for()
    act(window, "ops", "Edit")
    dialog.get_by_label("Without headers of your own").check()
    dialog.get_by_text("The headers that are stored are forgotten.").last.wait_for()
    confirm(window, "Save the channel")
    window.get_by_text("signing secrets: set").wait_for()
    assert list(store.channel("ops")["secret"]) == ["secrets"]


@pytest.mark.parametrize("state, status, error, shown", ((DELIVERED, 204, "", "204"), (DEAD, 410, "HTTP 410", "410: HTTP 410")))
def test_a_test_is_followed_until_it_is_over(desk, store, state, status, error, shown):
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops")
    act(window, "ops", "Test")
    window.get_by_role("dialog").get_by_label("Reason").fill("does it arrive?")
    window.get_by_role("dialog").get_by_role("button", name="Send the test").click()
    dialog = window.get_by_role("dialog", name="The test of ops")
    dialog.get_by_text("There was no attempt yet.").wait_for()
    assert dialog.get_by_role("status").inner_text() == "waiting"
    delivery = store.postgres.value("select id from alert_deliveries where channel = 'ops' and test")
    store.finish(delivery, state, status, error)
    row = dialog.get_by_role("table").get_by_role("row").nth(1)
    row.wait_for()
    assert row.inner_text().endswith(shown)
    assert dialog.get_by_role("status").inner_text().startswith("delivered" if state == DELIVERED else "dead")
    dialog.get_by_role("button", name="Close").click()
    window.get_by_role("row", name=re.compile("ops Webhook.*" + ("delivered" if state == DELIVERED else "dead"))).wait_for()
    assert [reason for _, reason in store.audit("alert_channel.test")] == ["does it arrive?"]


def test_a_channel_that_fails_says_so_and_is_deleted(desk, store, postgres):
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops")
    postgres.execute("insert into alert_rules (tenant, name, kind, channels, to_all) values ('default', 'alone', 4, '{ops}', false), ('default', 'two', 4, '{ops,boss}', false)")
    postgres.execute("update alert_channels set failures = 7, open_until = now() + interval '1 hour' where name = 'ops'")
    store.delivery("ops", state=WAITING)
    window.reload()
    row = window.get_by_role("row", name=re.compile("ops Webhook"))
    row.get_by_text("circuit open").wait_for()
    assert "7 failures in a row" in row.inner_text() and "1 waits" in row.inner_text() and "503: HTTP 503" in row.inner_text()
    act(window, "ops", "Delete")
    window.get_by_role("dialog").get_by_text("1 event or message that wait for it are cancelled").wait_for()
    window.get_by_role("dialog").get_by_text("These rules name no other channel, and will tell nobody: alone.").wait_for()
    confirm(window, "Delete the channel", reason="gone")
    window.get_by_text("There is no channel").wait_for()
    assert store.audit("alert_channel.delete") == [("ops", "gone")]


def test_the_form_of_a_rule_has_the_fields_of_its_kind(desk, store):
    window = desk.login(view="alerts/rules")
    window.get_by_role("row", name=re.compile("limits shipped")).wait_for()
    window.get_by_role("button", name="Make a rule").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("red-budget")
    dialog.get_by_label("Kind", exact=True).select_option("anomaly")
    assert dialog.get_by_label("From a cost of").is_visible() and not dialog.get_by_label("Only the limit named").is_visible()
    dialog.get_by_label("Kind", exact=True).select_option("threshold")
    assert dialog.get_by_label("Only the limit named").is_visible() and not dialog.get_by_label("From a cost of").is_visible()
    dialog.get_by_label("Teams", exact=True).check()
    dialog.get_by_label("Only the id").fill("red")
    dialog.get_by_label("That counts").select_option("cost")
    dialog.get_by_label("In a", exact=True).select_option("month")
    dialog.get_by_label("Percent of the limit").fill("70, 95")
    dialog.get_by_label("Or amounts").fill("12.50")
    dialog.get_by_role("row", name="At 70%, 95%, $12.50").wait_for()
    confirm(window, "Save the rule", reason="red spends much")
    window.get_by_role("row", name=re.compile(r"red-budget own.*teams with the id red cost per month 70%, 95%, \$12\.50")).wait_for()
    kept = store.rule("red-budget")
    assert (kept["account_kinds"], kept["account"], kept["percents"], kept["amounts"]) == ([TEAM], "red", [70, 95], [12_500_000_000])
    act(window, "red-budget", "Edit")
    dialog.get_by_label("Severity").select_option("critical")
    rows = dialog.get_by_role("table").get_by_role("row")
    assert [row.split() for row in rows.all_inner_texts()] == [["What", "Now", "Then"], ["Severity", "warning", "critical"]]
    confirm(window, "Save the rule", reason="very much")
    window.get_by_role("row", name=re.compile("red-budget.*critical")).wait_for()
    act(window, "red-budget", "Delete")
    confirm(window, "Delete the rule")
    window.get_by_role("row", name=re.compile("red-budget")).wait_for(state="detached")
    assert store.audit("alert_rule.put") == [("red-budget", "red spends much"), ("red-budget", "very much")]


def test_a_shipped_rule_is_switched_off_and_comes_back(desk, store):
    window = desk.login(view="alerts/rules")
    act(window, "suspended", "Switch off")
    window.get_by_role("dialog").get_by_text("which goes before the shipped one").wait_for()
    confirm(window, "Switch off", reason="too loud")
    window.get_by_role("row", name=re.compile("suspended own off")).wait_for()
    assert store.rule("suspended")["enabled"] is False and store.rule("suspended", tenant="")["enabled"] is True
    act(window, "suspended", "Delete")
    confirm(window, "Delete the rule")
    window.get_by_role("row", name=re.compile("suspended shipped")).wait_for()


def test_what_the_server_refuses_of_a_rule_is_said_in_the_dialog(desk):
    window = desk.login(view="alerts/rules")
    window.expected.append("400 (Bad Request)")
    window.get_by_role("button", name="Make a rule").click()
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("none")
    dialog.get_by_role("button", name="Save the rule").click()
    dialog.get_by_role("alert").wait_for()
    assert "percents" in dialog.get_by_role("alert").inner_text()
    dialog.get_by_label("Percent of the limit").fill("90")
    confirm(window, "Save the rule")


def test_a_rule_that_somebody_else_has_changed_is_not_changed_again(desk, store, postgres):
    window = desk.login(view="alerts/rules")
    window.expected.append("412 (Precondition Failed)")
    act(window, "tier", "Switch off")
    confirm(window, "Switch off")
    act(window, "tier", "Edit")
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("The rule is on").check()
    postgres.execute("update alert_rules set severity = 3, updated_at = now() where tenant = 'default' and name = 'tier'")
    dialog.get_by_role("button", name="Save the rule").click()
    dialog.get_by_text("Somebody else has changed it").wait_for()
    dialog.get_by_role("row", name=re.compile("^Severity")).first.wait_for()
    dialog.get_by_role("button", name="Load it again").click()
    dialog.wait_for(state="detached")
    assert store.rule("tier")["enabled"] is False


def test_an_event_arrives_while_one_looks_and_leads_to_its_user(desk, store):
    user = unique("user")
    store.budget(TEAM, "red", 50)
    window, own = desk.login(view="alerts"), desk.login(view=f"users/{user}")
    window.get_by_role("row", name=re.compile(r"warning Team red has reached 50% of the limit cost_per_month.*rule limits team red")).wait_for()
    own.get_by_text("There was no alert.").wait_for()
    store.budget(USER, user, 80, CRITICAL)
    row = window.get_by_role("row", name=re.compile(rf"critical User {user} has reached 80%"))
    row.wait_for()
    window.get_by_label("Severity").select_option("critical")
    window.get_by_role("row", name=re.compile("Team red")).wait_for(state="detached")
    assert "least=critical" in window.url
    window.get_by_label("Severity").select_option("")
    window.get_by_label("Of the account").fill("red")
    row.wait_for(state="detached")
    window.get_by_role("row", name=re.compile("Team red")).wait_for()
    window.get_by_label("Of the account").fill("")
    window.get_by_label("Kind").select_option("suspended")
    window.get_by_text("No event matches.").wait_for()
    window.get_by_label("Kind").select_option("threshold")
    row.get_by_role("link", name=user).click()
    ready(window, user)
    window.get_by_role("table", name=f"Latest alerts of {user}").get_by_role("row", name=re.compile("has reached 80%")).wait_for()
    window.get_by_role("link", name="All of them").click()
    row.wait_for()
    assert window.get_by_label("Of the account").input_value() == user


def test_events_of_the_installation_are_for_operators(desk, store):
    store.event(9, CRITICAL, tenant="", rule="drift", count=3, used=5 * 10**9)
    window = desk.login(desk.operator, view="alerts")
    window.get_by_text("No event matches.").wait_for()
    window.get_by_label("Of the whole installation").check()
    window.get_by_role("row", name=re.compile("Counters and ledger differed for 3 accounts.*the installation")).wait_for()
    admin = desk.login(view="alerts")
    ready(admin, "Alerts")
    assert not admin.get_by_label("Of the whole installation").count()


def test_a_dead_message_is_sent_again(desk, store):
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops")
    dead, done = store.delivery("ops"), store.delivery("ops", state=DELIVERED, attempts=1, status=200, error="")
    window.get_by_role("link", name="Deliveries").click()
    row = window.get_by_role("row", name=re.compile(rf"^{dead} .*ops 1 dead 503: HTTP 503"))
    row.wait_for()
    act(window, f"message {dead}", "Attempts")
    dialog = window.get_by_role("dialog")
    dialog.get_by_role("row", name=re.compile("^2 .*503: HTTP 503")).wait_for()
    dialog.get_by_role("button", name="Close").click()
    window.get_by_label("State").select_option("dead")
    window.get_by_role("row", name=re.compile(f"^{done} ")).wait_for(state="detached")
    assert "state=dead" in window.url
    act(window, f"message {dead}", "Send again")
    dialog.get_by_label("Reason").fill("it is up again")
    dialog.get_by_role("button", name="Send it again").click()
    window.get_by_role("dialog", name=f"Message {dead} to ops").get_by_text("waiting").wait_for()
    window.get_by_role("button", name="Close").click()
    row.wait_for(state="detached")
    assert store.postgres.value("select state from alert_deliveries where id = %s", dead) == WAITING
    assert [reason for _, reason in store.audit("alert_delivery.resend")] == ["it is up again"]


def test_a_viewer_sees_and_cannot_act(desk, store):
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops")
    dead = store.delivery("ops")
    store.budget(TEAM, "red", 50)
    viewer = desk.login(desk.key("viewer"), view="alerts")
    for view, words in (("alerts", "Team red"), ("alerts/rules", "limits shipped"), ("alerts/channels", "ops Webhook"), ("alerts/deliveries", f"^{dead} ")):
        viewer.show(view)
        viewer.get_by_role("row", name=re.compile(words)).first.wait_for()
        names = viewer.get_by_role("main").get_by_role("button").all_inner_texts()
        assert not set(names) - {"Pause", "Newer", "Older", "Attempts"}, (view, names)


@pytest.fixture
def furnished(desk, store):
    """Something in every section."""
    window = desk.login(view="alerts/channels")
    make_webhook(window, "ops", "https://hooks.example.org/" + "a-long-path-" * 20)
    store.postgres.execute("update alert_channels set failures = 7, open_until = now() + interval '1 hour'")
    store.delivery("ops")
    store.delivery("ops", state=WAITING, attempts=1, error="no answer " * 20)
    store.budget(TEAM, "red", 50)
    store.budget(USER, "ann", 80, CRITICAL)
    store.event(SUSPENDED, WARNING, USER, "ann", rule="suspended", subject="chargeback " * 20)
    return desk


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_every_section_is_accessible_and_fits_every_width(furnished, scheme):
    window = furnished.login(scheme=scheme)
    wrong = []
    for view, heading in SECTIONS.items():
        window.show(view)
        ready(window, heading)
        wrong += [f"{view} {scheme}: {text}" for text in window.violations()]
        for width in (360, 1280, 2560):
            window.set_viewport_size({"width": width, "height": 800})
            if window.sideways() > 0:
                wrong.append(f"{view} at {width}: {window.sideways()} px too wide")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_the_dialogs_are_accessible_on_a_phone(furnished, scheme):
    window = furnished.login(view="alerts/rules", width=360, height=740, scheme=scheme)
    wrong = []

    def look(what):
        wrong.extend(f"{what}: {text}" for text in window.violations())
        if window.sideways() > 0 or window.evaluate("(() => { const one = document.querySelector('dialog'); return one.scrollWidth > one.clientWidth; })()"):
            wrong.append(f"{what} is too wide")

    window.get_by_role("button", name="Make a rule").click()
    for kind in ("threshold", "anomaly", "starving"):
        window.get_by_role("dialog").get_by_label("Kind", exact=True).select_option(kind)
        look(kind)
    window.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    window.show("alerts/channels")
    window.get_by_role("button", name="Make a channel").click()
    window.get_by_text("Time, order and words").click()
    for kind in ("webhook", "email", "slack", "telegram", "command"):
        window.get_by_role("dialog").get_by_label("Kind", exact=True).select_option(kind)
        look(kind)
    window.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    window.show("alerts/deliveries")
    window.get_by_role("button", name="Attempts").first.click()
    window.get_by_role("dialog").get_by_role("table").wait_for()
    look("attempts")
    assert not wrong, "\n".join(wrong)


def test_a_keyboard_is_enough(desk, store):
    window = desk.login(view="alerts")
    ready(window, "Alerts")
    window.get_by_role("link", name="Events").focus()
    window.keyboard.press("Tab")
    assert focus(window) == "Rules"
    window.keyboard.press("Tab")
    window.keyboard.press("Enter")
    ready(window, "Alert channels")
    assert focus(window) == "Alert channels"
    window.get_by_role("button", name="Make a channel").focus()
    window.keyboard.press("Enter")
    window.get_by_role("dialog").wait_for()
    window.keyboard.type("ops")
    window.keyboard.press("Tab")
    window.keyboard.type("Web")
    window.keyboard.press("Tab")
    window.keyboard.type("https://hooks.example.org/")
    window.keyboard.press("Enter")
    window.locator(".secret").wait_for()
    window.get_by_role("button", name="Done").focus()
    window.keyboard.press("Enter")
    window.get_by_role("dialog").wait_for(state="detached")
    until(lambda: focus(window) == "Make a channel", "the focus being where the dialog was opened")
    assert store.channel("ops")["target"] == "https://hooks.example.org/"
