"""Alerts as admins make them: rules, channels and their secrets, what happened, and the messages about it."""
import json
import re
import subprocess

import grpc
import pytest
import yaml

from harness import program, protos
from bots import fails_with, unique
from rest_calls import Rest, rows
from test_keys import ADMIN, OPERATOR, VIEWER, Caller

Code = grpc.StatusCode
pb, types, admin_pb = protos.alerts_pb2, protos.types_pb2, protos.admin_pb2
WEBHOOK, EMAIL, SLACK, DISCORD, TEAMS, TELEGRAM, COMMAND = range(1, 8)
THRESHOLD, PROJECTED, ANOMALY, DENIAL, SUSPENDED, TIER, STARVING, LEDGER_LAG, DRIFT, PRICES_OLD, UNPRICED, KEY_ENDS, TEST = range(1, 14)
INFO, WARNING, CRITICAL = 1, 2, 3
WAITING, DELIVERED, DEAD, CANCELLED = range(1, 5)
TOKEN = "123456:ABC-def_GHI-the-secret-token"
SHIPPED = ["anomaly", "drift", "first-denial", "keys-end", "ledger-lag", "limits", "prices-old", "projected", "starving",
           "suspended", "tier", "unpriced", "users"]


class Alerts:
    """Calls about alerts, of one tenant."""

    def __init__(self, bots, tenant, caller=None):
        self.bots, self.tenant, self.admin = bots, tenant, caller or bots.admin

    def call(self, name, request, **options):
        return getattr(self.admin, name)(request, **({} if isinstance(self.admin, Caller) else {"timeout": 30}), **options)

    def put_rule(self, name, kind=THRESHOLD, reason="", metadata=(), **fields):
        if kind == THRESHOLD and "amounts" not in fields:
            fields.setdefault("percents", [80])
        return self.call("PutAlertRule", pb.PutAlertRuleRequest(rule=pb.AlertRule(tenant=self.tenant, name=name, kind=kind, **fields), reason=reason),
                         metadata=list(metadata))

    def rules(self):
        return {rule.name: rule for rule in self.call("ListAlertRules", pb.ListAlertRulesRequest(tenant=self.tenant)).rules}

    def put_channel(self, name, kind=EMAIL, reason="", metadata=(), **fields):
        if kind == EMAIL:
            fields.setdefault("target", "ops@example.org")
        if kind == WEBHOOK:
            fields.setdefault("target", "https://example.org/hook")
        return self.call("PutAlertChannel",
                         pb.PutAlertChannelRequest(channel=pb.AlertChannel(tenant=self.tenant, name=name, kind=kind, **fields), reason=reason),
                         metadata=list(metadata))

    def channels(self):
        return {one.name: one for one in self.call("ListAlertChannels", pb.ListAlertChannelsRequest(tenant=self.tenant)).channels}

    def delete_channel(self, name, **fields):
        return self.call("DeleteAlertChannel", pb.DeleteAlertChannelRequest(tenant=self.tenant, name=name, **fields))

    def delete_rule(self, name, **fields):
        return self.call("DeleteAlertRule", pb.DeleteAlertRuleRequest(tenant=self.tenant, name=name, **fields))

    def test(self, name):
        return self.call("TestAlertChannel", pb.TestAlertChannelRequest(tenant=self.tenant, name=name)).delivery

    def deliveries(self, **fields):
        return self.call("ListAlertDeliveries", pb.ListAlertDeliveriesRequest(tenant=self.tenant, **fields))

    def delivery(self, id):
        return self.call("GetAlertDelivery", pb.GetAlertDeliveryRequest(tenant=self.tenant, id=id))

    def resend(self, id, **fields):
        return self.call("ResendAlertDelivery", pb.ResendAlertDeliveryRequest(tenant=self.tenant, id=id, **fields))

    def events(self, **fields):
        return self.call("ListAlertEvents", pb.ListAlertEventsRequest(tenant=self.tenant, **fields))

    def audit(self, action):
        return self.call("ListAudit", admin_pb.ListAuditRequest(tenant=self.tenant, action=action, oldest_first=True)).entries

    def export(self):
        return self.call("Export", admin_pb.ExportRequest(tenant=self.tenant))

    def apply(self, document, **fields):
        return self.call("Apply", admin_pb.ApplyRequest(tenant=self.tenant, document=document, **fields))


@pytest.fixture
def bursard(start_bursard):
    """Without the role that finds and sends: what there is of events and messages is what the test says."""
    return start_bursard(roles="serve,ledger,http")


@pytest.fixture
def alerts(bots):
    return Alerts(bots, unique("fleet"))


def field_of(error):
    """The field that a refusal names."""
    return re.match(r"[\w.\[\]]+", error.details())[0]


def secret_of(postgres, tenant, name):
    return json.loads(postgres.value("select secret::text from alert_channels where tenant = %s and name = %s", tenant, name))


def test_a_tenants_own_rule_goes_before_the_shipped_one_until_it_is_deleted(alerts):
    assert sorted(alerts.rules()) == list(alerts.rules()) == SHIPPED
    shipped = alerts.rules()["limits"]
    assert shipped.shipped and list(shipped.percents) == [50, 80, 100] and not shipped.no_channels and shipped.tenant == alerts.tenant
    assert alerts.rules()["users"].no_channels and alerts.rules()["ledger-lag"].after_s == 60
    own = alerts.put_rule("limits", percents=[90], severity=CRITICAL, account_kinds=[2, 3], tier="pro", dimension=5, window=3, reason="later")
    assert own == alerts.rules()["limits"] and not own.shipped and own.updated_at_us and own.etag
    assert (list(own.percents), own.severity, list(own.account_kinds), own.tier, own.dimension, own.window) == ([90], CRITICAL, [2, 3], "pro", 5, 3)
    assert Alerts(alerts.bots, unique("other")).rules()["limits"].shipped
    alerts.delete_rule("limits", reason="as shipped")
    assert alerts.rules()["limits"].shipped
    put, deleted = alerts.audit("alert_rule.")
    assert (put.action, put.target, put.reason) == ("alert_rule.put", "limits", "later")
    assert json.loads(put.before)["percents"] == [50, 80, 100] and json.loads(put.details)["percents"] == [90]
    assert (deleted.action, deleted.reason) == ("alert_rule.delete", "as shipped") and json.loads(deleted.details)["percents"] == [50, 80, 100]
    error = fails_with(Code.NOT_FOUND, alerts.delete_rule, "limits")
    assert field_of(error) == "name"


def test_what_a_rule_leaves_out_is_that_of_the_shipped_ones(alerts):
    assert alerts.put_rule("p", PROJECTED).percent == 100
    assert alerts.put_rule("a", ANOMALY).percent == 300
    assert [alerts.put_rule("r", kind).after_s for kind in (STARVING, KEY_ENDS)] == [60, 604_800]
    rule = alerts.put_rule("t", percents=[1, 1000], amounts=[5])
    assert rule.severity == WARNING and not rule.no_channels and not rule.channels and not rule.dimension and not rule.window
    assert alerts.put_rule("t", no_channels=True).no_channels and alerts.rules()["t"].no_channels


def test_a_rule_names_channels_that_there_are(alerts):
    error = fails_with(Code.INVALID_ARGUMENT, alerts.put_rule, "r", channels=["ops"])
    assert field_of(error) == "rule.channels[0]" and "create it first" in error.details()
    alerts.put_channel("ops")
    alerts.put_channel("boss")
    assert list(alerts.put_rule("r", channels=["boss", "ops"]).channels) == ["boss", "ops"]
    alerts.put_rule("only", channels=["ops"])
    assert list(alerts.delete_channel("ops").silent_rules) == ["only"]
    assert list(alerts.rules()["r"].channels) == ["boss"]
    assert alerts.rules()["only"].no_channels, "nobody else is told instead"
    assert list(alerts.delete_channel("boss").silent_rules) == ["r"]
    assert json.loads(alerts.audit("alert_channel.delete")[0].details) == {"cancelled": 0, "rules": ["only", "r"]}


def test_if_match_protects_from_a_change_that_was_not_seen(alerts):
    seen = alerts.put_rule("r", percents=[50])
    alerts.put_rule("r", percents=[60])
    error = fails_with(Code.ABORTED, alerts.put_rule, "r", percents=[70], metadata=[("if-match", f'"{seen.etag}"')])
    assert "etag" in error.details() and list(alerts.rules()["r"].percents) == [60]
    channel = alerts.put_channel("c").channel
    assert channel.etag == alerts.channels()["c"].etag
    alerts.put_channel("c", least=WARNING)
    fails_with(Code.ABORTED, alerts.put_channel, "c", metadata=[("if-match", f'"{channel.etag}"')])


def test_there_are_bounds(alerts, postgres):
    postgres.execute("insert into alert_rules (tenant, name, kind) select %s, 'r' || n, 4 from generate_series(1, 100) n", alerts.tenant)
    fails_with(Code.FAILED_PRECONDITION, alerts.put_rule, "one-more")
    alerts.put_rule("r1", percents=[5])
    postgres.execute("insert into alert_channels (tenant, name, kind, target) select %s, 'c' || n, 2, 'a@example.org' from generate_series(1, 50) n", alerts.tenant)
    fails_with(Code.FAILED_PRECONDITION, alerts.put_channel, "one-more")
    alerts.put_channel("c1")


WRONG_RULES = [
    ("name", dict(name="")), ("name", dict(name="Größe")), ("name", dict(name="a b")), ("name", dict(name="x" * 65)),
    ("kind", dict(kind=0)), ("kind", dict(kind=TEST)), ("kind", dict(kind=99)), ("severity", dict(severity=4)),
    ("percents", dict(percents=[])), ("percents[0]", dict(percents=[0])), ("percents[1]", dict(percents=[50, 1001])),
    ("percents[0]", dict(percents=[-1])), ("percents", dict(percents=range(1, 10))), ("amounts[0]", dict(amounts=[0])),
    ("amounts", dict(amounts=range(1, 10))), ("account_kinds", dict(account_kinds=[0])), ("account_kinds[0]", dict(account_kinds=[9])),
    ("account", dict(account="\x01")), ("tier", dict(tier="Not A Tier")), ("dimension", dict(dimension=99)),
    ("dimension", dict(dimension=6)), ("window", dict(window=9)), ("limit", dict(limit="x" * 65)),
    ("percents", dict(kind=DENIAL, percents=[80])), ("percent", dict(percent=80)), ("percent", dict(kind=ANOMALY, percent=-5)),
    ("after_s", dict(after_s=5)), ("after_s", dict(kind=KEY_ENDS, after_s=-1)), ("channels[0]", dict(channels=["no such"])),
    ("channels[1]", dict(channels=["ops", "ops"])), ("channels", dict(channels=[f"c{n}" for n in range(17)])),
    ("no_channels", dict(no_channels=True, channels=["ops"])), ("account_kinds", dict(kind=STARVING, account_kinds=[1])),
]


@pytest.mark.parametrize("field, said", WRONG_RULES, ids=[f"{field}-{number}" for number, (field, _) in enumerate(WRONG_RULES)])
def test_a_rule_that_is_wrong_is_refused_by_its_field(alerts, field, said):
    error = fails_with(Code.INVALID_ARGUMENT, alerts.put_rule, **{"name": "r", **said})
    assert field_of(error) == "rule." + field, error.details()
    assert alerts.rules().keys() == set(SHIPPED)


HOOK = "https://example.org/hook"
WRONG_CHANNELS = [
    ("name", dict(name="")), ("name", dict(name="Ops")), ("kind", dict(kind=0)), ("kind", dict(kind=8)),
    ("target", dict(kind=WEBHOOK, target="")), ("target", dict(kind=WEBHOOK, target="example.org")), ("target", dict(kind=WEBHOOK, target="ftp://example.org/")),
    ("target", dict(target="nobody")), ("target", dict(target="a@example.org," * 21)), ("target", dict(target="a@b c")),
    ("url", dict(kind=SLACK)), ("url", dict(kind=DISCORD, url="not a url")), ("url", dict(kind=TEAMS, url="x" * 2001)),
    ("token", dict(kind=TELEGRAM, target="-100123")), ("token", dict(kind=TELEGRAM, target="-100123", token="abc")),
    ("target", dict(kind=TELEGRAM, target="chat", token=TOKEN)), ("target", dict(kind=COMMAND, target="/bin/sh")),
    ("url", dict(url=HOOK)), ("token", dict(token=TOKEN)), ("signing_secrets", dict(signing_secrets=["whsec_" + "A" * 44])),
    ("signing_secrets[0]", dict(kind=WEBHOOK, signing_secrets=["secret"])), ("signing_secrets[1]", dict(kind=WEBHOOK, signing_secrets=["whsec_" + "A" * 44, "whsec_AAAA"])),
    ("signing_secrets", dict(kind=WEBHOOK, signing_secrets=["whsec_" + "A" * 44] * 5)), ("headers[0]", dict(kind=WEBHOOK, headers=["no colon"])),
    ("headers[0]", dict(kind=WEBHOOK, headers=["Webhook-Id: 1"])), ("headers", dict(kind=WEBHOOK, headers=["A: b"] * 9)),
    ("least", dict(least=9)), ("language", dict(language="xx")), ("digest_us", dict(digest_us=86_400_000_001)),
    ("digest_us", dict(digest_us=1_500_000)), ("quiet_from_minute", dict(quiet_from_minute=1440)), ("quiet_to_minute", dict(quiet_to_minute=-1)),
    ("quiet_zone", dict(quiet_zone="Mars/Olympus")), ("rate_per_minute", dict(rate_per_minute=601)), ("title", dict(title="x" * 2001)),
    ("title", dict(title="{nothing}")), ("body", dict(body="{nothing}")),
]


@pytest.mark.parametrize("field, said", WRONG_CHANNELS, ids=[f"{field}-{number}" for number, (field, _) in enumerate(WRONG_CHANNELS)])
def test_a_channel_that_is_wrong_is_refused_by_its_field(alerts, field, said):
    error = fails_with(Code.INVALID_ARGUMENT, alerts.put_channel, **{"name": "c", **said})
    assert field_of(error) == "channel." + field, error.details()
    assert "AAAA" not in error.details() and TOKEN not in error.details(), "a secret is not repeated"
    assert not alerts.channels()


def test_a_webhooks_secret_is_made_shown_once_and_rotated(alerts, postgres):
    answer = alerts.put_channel("hook", WEBHOOK)
    (made,) = answer.signing_secrets
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made) and list(answer.channel.secrets_set) == ["signing_secrets"]
    assert secret_of(postgres, alerts.tenant, "hook") == {"secrets": [made]}
    assert not alerts.put_channel("hook", WEBHOOK, least=WARNING).signing_secrets, "it is kept, not made again"
    assert secret_of(postgres, alerts.tenant, "hook") == {"secrets": [made]}
    new = "whsec_" + "B" * 42 + "A="
    assert not alerts.put_channel("hook", WEBHOOK, signing_secrets=[new, made]).signing_secrets
    assert secret_of(postgres, alerts.tenant, "hook") == {"secrets": [new, made]}
    alerts.put_channel("hook", WEBHOOK, signing_secrets=[new])
    assert secret_of(postgres, alerts.tenant, "hook") == {"secrets": [new]}
    other = alerts.put_channel("other", WEBHOOK)
    assert other.signing_secrets[0] != made


def test_a_channel_keeps_its_secrets_but_sends_them_nowhere_else(alerts, postgres):
    alerts.put_channel("hook", WEBHOOK, headers=["Authorization: Bearer 4711", "X-Team: ops"])
    alerts.put_channel("hook", WEBHOOK, digest_us=60_000_000)
    stored = secret_of(postgres, alerts.tenant, "hook")
    assert stored["headers"] == ["Authorization: Bearer 4711", "X-Team: ops"]
    error = fails_with(Code.INVALID_ARGUMENT, alerts.put_channel, "hook", WEBHOOK, target="https://evil.example/")
    assert field_of(error) == "channel.headers" and secret_of(postgres, alerts.tenant, "hook") == stored
    alerts.put_channel("hook", WEBHOOK, target="https://new.example/", headers=["Authorization: Bearer 4712"])
    assert secret_of(postgres, alerts.tenant, "hook")["headers"] == ["Authorization: Bearer 4712"]
    alerts.put_channel("phone", TELEGRAM, target="-100123", token=TOKEN)
    error = fails_with(Code.INVALID_ARGUMENT, alerts.put_channel, "phone", TELEGRAM, target="-100123", url="https://evil.example/")
    assert field_of(error) == "channel.token"
    alerts.put_channel("phone", TELEGRAM, target="-100124")
    assert secret_of(postgres, alerts.tenant, "phone") == {"token": TOKEN}
    fails_with(Code.INVALID_ARGUMENT, alerts.put_channel, "phone", SLACK)
    alerts.put_channel("phone", EMAIL)
    assert secret_of(postgres, alerts.tenant, "phone") == {}, "a secret of another kind is of no use"


def test_a_webhooks_headers_can_be_cleared(alerts, bursard, bursar, postgres):
    def headers():
        return secret_of(postgres, alerts.tenant, "hook").get("headers")

    def clear(target=HOOK, **fields):
        channel = pb.AlertChannel(tenant=alerts.tenant, name="hook", kind=WEBHOOK, target=target, **fields)
        return pb.PutAlertChannelRequest(channel=channel, clear_headers=True)

    alerts.put_channel("hook", WEBHOOK, headers=["Authorization: Bearer 4711"])
    error = fails_with(Code.INVALID_ARGUMENT, alerts.call, "PutAlertChannel", clear(headers=["X-Team: ops"]))
    assert field_of(error) == "clear_headers" and headers() == ["Authorization: Bearer 4711"]
    channel = alerts.call("PutAlertChannel", clear()).channel
    assert list(channel.secrets_set) == ["signing_secrets"] and not headers()
    alerts.put_channel("hook", WEBHOOK, headers=["X-Team: ops"])
    alerts.call("PutAlertChannel", clear(target="https://new.example/"))
    assert not headers(), "without them, there is nothing that another destination must not see"
    alerts.put_channel("hook", WEBHOOK, target="https://new.example/", headers=["X-Team: ops"])
    row = next(row for row in rows() if row.rpc == "PutAlertChannel")
    status, answer = Rest(bursard.http_addr)(row, clear())
    assert status == 200 and answer["channel"]["secrets_set"] == ["signing_secrets"] and not headers()
    alerts.put_channel("hook", WEBHOOK, headers=["X-Team: ops"])
    done = run(bursar, alerts, "channel", "put", "hook", "--header", "none")
    assert done.returncode == 0 and not headers(), done.stderr


@pytest.mark.parametrize("kind", [SLACK, DISCORD, TEAMS])
def test_of_a_chats_secret_url_only_the_host_is_shown(alerts, postgres, kind):
    url = "https://hooks.example.com/services/T0/B0/very-secret"
    channel = alerts.put_channel("chat", kind, url=url, target="what is given here is not read").channel
    assert channel.target == "hooks.example.com" and not channel.url and list(channel.secrets_set) == ["url"]
    assert alerts.put_channel("chat", kind, ordered=True).channel.target == "hooks.example.com"
    assert secret_of(postgres, alerts.tenant, "chat") == {"url": url}


SECRETS = ["https://hooks.example.com/services/very-secret", TOKEN, "whsec_" + "C" * 42 + "A=", "Bearer hush-hush"]


def furnish(alerts):
    alerts.put_channel("chat", SLACK, url=SECRETS[0])
    alerts.put_channel("phone", TELEGRAM, target="-100123", token=SECRETS[1])
    alerts.put_channel("hook", WEBHOOK, signing_secrets=[SECRETS[2]], headers=["Authorization: " + SECRETS[3]], title="{rule}!",
                       quiet_from_minute=1320, quiet_to_minute=420, quiet_zone="Europe/Berlin", digest_us=900_000_000, rate_per_minute=30)
    alerts.put_channel("mail", EMAIL, language="de", least=WARNING, ordered=True)
    alerts.put_rule("half", percents=[50, 75], account_kinds=[2, 5], dimension=5, window=3, channels=["chat", "mail"])
    alerts.put_rule("spend", ANOMALY, percent=250, minimum_nano_usd=5_000_000_000, disabled=True, no_channels=True)


def test_secrets_are_in_no_answer_no_audit_row_no_document_and_no_log(alerts, bursard, bursar):
    furnish(alerts)
    seen = [str(answer) for answer in (alerts.channels(), alerts.export(), list(alerts.audit("")), alerts.apply(alerts.export()))]
    for row in rows():
        if row.rpc in ("ListAlertChannels", "Export", "ListAudit"):
            request = {"ListAlertChannels": pb.ListAlertChannelsRequest, "Export": admin_pb.ExportRequest, "ListAudit": admin_pb.ListAuditRequest}[row.rpc]
            seen.append(str(Rest(bursard.http_addr)(row, request(tenant=alerts.tenant))))
    for words in (["alert", "channel", "list"], ["export"], ["audit"], ["alert", "channel", "put", "hook", "--least", "critical"]):
        for extra in ([], ["--json"]):
            done = bursar(*words, "--tenant", alerts.tenant, *extra)
            assert done.returncode == 0, done.stderr
            seen.append(done.stdout + done.stderr)
    fails_with(Code.INVALID_ARGUMENT, alerts.put_channel, "hook", WEBHOOK, signing_secrets=[SECRETS[2]], headers=["Authorization: " + SECRETS[3]], least=9)
    assert len(alerts.channels()) == 4 and any("hooks.example.com" in text for text in seen)
    log = bursard.log()
    for secret in SECRETS:
        assert not any(secret in text or secret[6:30] in text for text in [*seen, log]), secret
    details = json.loads(alerts.audit("alert_channel.put")[2].details)
    assert details["secrets"] == {"signing_secrets": 1, "headers": 1} and "secret" not in details


def test_only_operators_touch_what_concerns_the_whole_installation(bots):
    operator = Caller(bots, bots.admin.CreateKey(admin_pb.CreateKeyRequest(role=OPERATOR, label="ops"), timeout=20).secret)
    key = lambda role: Caller(bots, operator.CreateKey(admin_pb.CreateKeyRequest(role=role, tenant="acme")).secret)
    by_operator, by_admin, by_viewer = (Alerts(bots, "acme", caller) for caller in (operator, key(ADMIN), key(VIEWER)))
    of_default = Alerts(bots, "default", operator)
    error = fails_with(Code.PERMISSION_DENIED, by_admin.put_channel, "all", system=True)
    assert "system" in error.details()
    assert by_operator.put_channel("all", system=True).channel.system
    fails_with(Code.PERMISSION_DENIED, by_admin.put_channel, "all", system=True, target="me@example.org")
    fails_with(Code.PERMISSION_DENIED, by_admin.put_channel, "all", target="me@example.org")
    fails_with(Code.PERMISSION_DENIED, by_admin.delete_channel, "all")
    fails_with(Code.PERMISSION_DENIED, by_admin.events, system=True)
    for kind in (LEDGER_LAG, DRIFT, PRICES_OLD):
        fails_with(Code.PERMISSION_DENIED, by_admin.put_rule, "system", kind)
        assert "in the tenant default" in fails_with(Code.INVALID_ARGUMENT, by_operator.put_rule, "system", kind).details()
        assert of_default.put_rule("system", kind).after_s == {LEDGER_LAG: 60, DRIFT: 0, PRICES_OLD: 10_368_000}[kind]
    of_default.delete_rule("system")
    by_admin.put_channel("ours", WEBHOOK)
    document = by_admin.export()
    assert by_viewer.channels().keys() == {"all", "ours"} and not by_viewer.channels()["ours"].signing_secrets
    fails_with(Code.PERMISSION_DENIED, by_admin.apply, document)
    del document.alerts.channels[0]
    assert not by_admin.apply(document).changes
    fails_with(Code.PERMISSION_DENIED, by_admin.apply, document, prune=True)
    assert by_operator.apply(document, prune=True).changes[0].before.alerts.channels[0].name == "all"
    assert by_admin.channels().keys() == {"ours"}


def test_a_tenant_sees_and_changes_its_own_alone(bots):
    operator = Caller(bots, bots.admin.CreateKey(admin_pb.CreateKeyRequest(role=OPERATOR, label="ops"), timeout=20).secret)
    key = lambda tenant: Caller(bots, operator.CreateKey(admin_pb.CreateKeyRequest(role=ADMIN, tenant=tenant)).secret)
    ours, theirs = Alerts(bots, "ours", key("ours")), Alerts(bots, "theirs", key("theirs"))
    theirs.put_channel("hook")
    delivery = theirs.test("hook").id
    ours.tenant = "theirs"
    for call in (lambda: ours.put_rule("r"), ours.rules, lambda: ours.put_channel("hook"), ours.channels, lambda: ours.test("hook"), ours.events,
                 ours.deliveries, lambda: ours.delivery(delivery), lambda: ours.resend(delivery), lambda: ours.delete_channel("hook"),
                 lambda: ours.delete_rule("r"),
                 lambda: ours.call("Apply", admin_pb.ApplyRequest(tenant="ours", document=admin_pb.TenantDocument(alerts=admin_pb.AlertDocument(
                     rules=[pb.AlertRule(tenant="theirs", name="r", kind=DENIAL)])))),
                 lambda: ours.call("Apply", admin_pb.ApplyRequest(tenant="ours", document=admin_pb.TenantDocument(alerts=admin_pb.AlertDocument(
                     channels=[pb.AlertChannel(tenant="theirs", name="c", kind=EMAIL, target="a@example.org")]))))):
        fails_with(Code.PERMISSION_DENIED, call)
    ours.tenant = ""  # is the key's own
    assert not ours.channels() and not ours.deliveries().deliveries
    fails_with(Code.NOT_FOUND, ours.delivery, delivery)
    fails_with(Code.NOT_FOUND, ours.test, "hook")
    assert theirs.channels()["hook"].pending == 1


def test_a_test_is_a_message_of_its_own(alerts, postgres):
    alerts.put_channel("mail")
    made = alerts.test("mail")
    assert made.test and made.state == WAITING and made.channel == "mail" and re.fullmatch(r"msg_[0-9a-f]{32}", made.message_id)
    assert made.next_at_us == made.created_at_us and len(made.events) == 1 and made == alerts.delivery(made.id)
    (event,) = alerts.events(kind=TEST).events
    assert event.id == made.events[0] and event.text and event.severity == INFO and event.tenant == alerts.tenant
    assert alerts.test("mail").message_id != made.message_id and alerts.channels()["mail"].pending == 2
    give_up, = postgres.query("select extract(epoch from give_up_at - created_at) from alert_deliveries where id = %s", made.id)[0]
    assert give_up == 86400
    fails_with(Code.NOT_FOUND, alerts.test, "nobody")
    alerts.put_channel("mail", disabled=True)
    assert "disabled" in fails_with(Code.FAILED_PRECONDITION, alerts.test, "mail").details()
    assert alerts.delete_channel("mail", reason="no more").cancelled == 2
    assert [one.state for one in alerts.deliveries().deliveries] == [CANCELLED, CANCELLED]


def deliver(postgres, tenant, channel="mail", state=WAITING, attempts=0, events="{1}"):
    """A message as the alerts role leaves it."""
    return postgres.value(
        "insert into alert_deliveries (message_id, tenant, channel, events, state, attempts, created_at, give_up_at, next_at, ended_at, status, error) "
        "values ('msg_' || gen_random_uuid(), %s, %s, %s, %s, %s, now(), now() + interval '1 d', now() + interval '1 h', "
        "case when %s > 1 then now() end, 503, 'HTTP 503') returning id", tenant, channel, events, state, attempts, state)


def test_messages_are_listed_by_page_channel_and_state(alerts, postgres):
    ids = [deliver(postgres, alerts.tenant, channel, state) for channel in ("mail", "hook") for state in (WAITING, DELIVERED, DEAD, CANCELLED)]
    deliver(postgres, unique("other"))
    assert [one.id for one in alerts.deliveries().deliveries] == ids[::-1]
    assert [one.id for one in alerts.deliveries(channel="mail").deliveries] == ids[3::-1]
    assert [one.id for one in alerts.deliveries(state=DEAD).deliveries] == [ids[6], ids[2]]
    dead = alerts.deliveries(state=DEAD, channel="hook").deliveries[0]
    assert dead.ended_at_us and not dead.next_at_us and dead.status == 503 and dead.error == "HTTP 503" and not dead.log
    assert alerts.deliveries(state=WAITING).deliveries[0].next_at_us
    found, token = [], ""
    while True:
        page = alerts.deliveries(page_size=3, page_token=token)
        found += [one.id for one in page.deliveries]
        token = page.next_page_token
        if not token:
            break
    assert found == ids[::-1]
    for token in ("x", "-1", "1.5"):
        assert field_of(fails_with(Code.INVALID_ARGUMENT, alerts.deliveries, page_token=token)) == "page_token"


def test_a_message_shows_its_last_fifty_attempts(alerts, postgres):
    delivery = deliver(postgres, alerts.tenant, state=DEAD, attempts=60, events="{7,8,9}")
    postgres.execute("insert into alert_attempts select %s, n, now(), n, case when n < 60 then 503 else 0 end, 'HTTP ' || n from generate_series(1, 60) n", delivery)
    shown = alerts.delivery(delivery)
    assert [one.attempt for one in shown.log] == list(range(11, 61)) and list(shown.events) == [7, 8, 9]
    assert (shown.log[0].took_us, shown.log[0].status, shown.log[0].error) == (11, 503, "HTTP 11") and shown.log[0].at_us


def test_a_message_that_was_given_up_is_sent_again(alerts, postgres):
    alerts.put_channel("mail")
    delivery = deliver(postgres, alerts.tenant, state=DEAD, attempts=7)
    before, again = alerts.delivery(delivery), alerts.resend(delivery, reason="it works again")
    assert again.state == WAITING and again.message_id == before.message_id and again.attempts == 0 and not again.ended_at_us
    assert postgres.value("select next_at <= now() and give_up_at > now() + interval '23 h' from alert_deliveries where id = %s", delivery)
    assert "already" in fails_with(Code.FAILED_PRECONDITION, alerts.resend, delivery).details()
    alerts.resend(deliver(postgres, alerts.tenant, state=DELIVERED))
    for gone in (deliver(postgres, alerts.tenant, "gone", state=DEAD), deliver(postgres, alerts.tenant, "gone", state=CANCELLED)):
        assert "deleted" in fails_with(Code.FAILED_PRECONDITION, alerts.resend, gone).details()
    fails_with(Code.NOT_FOUND, alerts.resend, 10**9)
    fails_with(Code.NOT_FOUND, alerts.delivery, 10**9)
    entry = alerts.audit("alert_delivery.")[0]
    assert (entry.target, entry.reason, json.loads(entry.before)["state"], json.loads(entry.details)["state"]) == (str(delivery), "it works again", DEAD, WAITING)


def test_a_changed_destination_is_tried_at_once(alerts, postgres):
    alerts.put_channel("hook", WEBHOOK)
    postgres.execute("update alert_channels set failures = 9, open_until = now() + interval '9 min' where tenant = %s", alerts.tenant)
    channel = alerts.channels()["hook"]
    assert channel.failures == 9 and channel.open_until_us > 0
    assert alerts.put_channel("hook", WEBHOOK, least=WARNING).channel.failures == 9
    channel = alerts.put_channel("hook", WEBHOOK, target="https://new.example/").channel
    assert channel.failures == 0 and channel.open_until_us == 0


def happen(postgres, tenant, kind=THRESHOLD, severity=WARNING, rule="limits", account_kind=1, account="alice", ago="0 s", **fields):
    """An event as the alerts role stores it."""
    row = {"tenant": tenant, "kind": kind, "severity": severity, "rule": rule, "account_kind": account_kind, "account": account, **fields}
    return postgres.value(f"insert into alert_events (at, {', '.join(row)}) values (now() - %s::interval, {', '.join(['%s'] * len(row))}) returning id",
                          ago, *row.values())


def test_events_are_listed_by_what_they_are_of(alerts, postgres):
    tenant = alerts.tenant
    used = happen(postgres, tenant, limit_name="cost_per_month", dimension=4, unit=2, used=80_000_000_000, amount=100_000_000_000, percent=80, ago="3 d")
    denied = happen(postgres, tenant, DENIAL, INFO, "first-denial", subject="quota", ago="2 d")
    moved = happen(postgres, tenant, TIER, CRITICAL, "tier", 2, "red", before="free", after="pro", ago="1 d")
    lag = happen(postgres, "", LEDGER_LAG, CRITICAL, "ledger-lag", 0, "", age_us=90_000_000)
    happen(postgres, unique("other"))

    def ids(**fields):
        return [event.id for event in alerts.events(**fields).events]

    assert ids() == [moved, denied, used]
    assert ids(kind=DENIAL) == [denied] and ids(rule="tier") == [moved] and ids(account_kind=2) == [moved] and ids(account="alice") == [denied, used]
    assert ids(least=WARNING) == [moved, used] and ids(system=True) == [lag]
    at = {event.id: event.at_us for event in alerts.events().events}
    assert ids(from_us=at[denied]) == [moved, denied] and ids(to_us=at[denied]) == [used]
    assert field_of(fails_with(Code.INVALID_ARGUMENT, alerts.events, from_us=2, to_us=1)) == "from_us"
    first = alerts.events(page_size=2)
    assert [event.id for event in first.events] == [moved, denied]
    assert ids(page_size=2, page_token=first.next_page_token) == [used]
    event = alerts.events(kind=THRESHOLD).events[0]
    assert (event.limit, event.dimension, event.window, event.used, event.amount, event.percent) == ("cost_per_month", 5, 3, 80_000_000_000, 100_000_000_000, 80)
    assert "80%" in event.text


def test_events_speak_the_language_that_is_asked_for_or_the_tenants(alerts, postgres):
    happen(postgres, alerts.tenant, limit_name="l", dimension=0, unit=0, used=8, amount=10, percent=80)
    texts = {language: alerts.events(language=language).events[0].text for language in ("en", "de", "ru", "es")}
    assert len(set(texts.values())) == 4 and alerts.events().events[0].text == texts["en"]
    alerts.bots.admin.PutTenant(admin_pb.PutTenantRequest(tenant=admin_pb.Tenant(id=alerts.tenant, language="de")), timeout=20)
    assert alerts.events().events[0].text == texts["de"]


def test_a_document_holds_the_alerts_and_applied_again_changes_nothing(alerts):
    furnish(alerts)
    document = alerts.export()
    assert [one.name for one in document.alerts.channels] == ["chat", "hook", "mail", "phone"]
    assert [one.name for one in document.alerts.rules] == ["half", "spend"], "not the shipped ones"
    assert not any(one.secrets_set or one.updated_at_us or one.etag for one in document.alerts.channels)
    for prune in (False, True):
        answer = alerts.apply(document, prune=prune)
        assert not answer.changes and not answer.applied


def test_a_document_changes_rules_and_channels_and_keeps_secrets(alerts, postgres):
    furnish(alerts)
    document, before = alerts.export(), secret_of(postgres, alerts.tenant, "hook")
    hook = next(one for one in document.alerts.channels if one.name == "hook")
    hook.digest_us, hook.disabled = 0, True
    document.alerts.channels.add(name="second", kind=EMAIL, target="cfo@example.org")
    del document.alerts.rules[1]
    document.alerts.rules[0].percents[:] = [10]
    document.alerts.rules[0].channels.append("second")
    document.alerts.rules.add(name="new", kind=DENIAL, channels=["second"])
    shown = alerts.apply(document, dry_run=True)
    assert not shown.applied and len(shown.changes) == 4 and not alerts.channels()["hook"].disabled
    done = alerts.apply(document, expected=shown.fingerprint, reason="from the repository")
    assert done.applied and done.changes == shown.changes
    kinds = [(change.kind, [one.name for one in (*change.after.alerts.channels, *change.after.alerts.rules)]) for change in done.changes]
    assert kinds == [(2, ["hook"]), (1, ["second"]), (2, ["half"]), (1, ["new"])]
    assert alerts.channels()["hook"].disabled and secret_of(postgres, alerts.tenant, "hook") == before
    assert list(alerts.rules()["half"].channels) == ["chat", "mail", "second"] and "spend" in alerts.rules()
    assert {entry.reason for entry in alerts.audit("alert_")} == {"", "from the repository"}
    pruned = alerts.apply(document, prune=True)
    assert [change.before.alerts.rules[0].name for change in pruned.changes] == ["spend"] and "spend" not in alerts.rules()


def test_a_document_without_alerts_leaves_them_even_with_prune(alerts):
    furnish(alerts)
    document = alerts.export()
    document.ClearField("alerts")
    assert not alerts.apply(document, prune=True).changes
    document.alerts.SetInParent()
    assert len(alerts.apply(document, prune=True).changes) == 6
    assert not alerts.channels() and list(alerts.rules()) == SHIPPED


REFUSED = [
    ("alerts.channels[0].signing_secrets", dict(name="c", kind=WEBHOOK, target=HOOK), "bursar alert channel put"),
    ("alerts.channels[0].url", dict(name="c", kind=SLACK), "bursar alert channel put"),
    ("alerts.channels[0].token", dict(name="c", kind=TELEGRAM, target="-100123"), "bursar alert channel put"),
    ("alerts.channels[0].token", dict(name="c", kind=TELEGRAM, target="-100123", token=TOKEN), "does not hold it"),
    ("alerts.channels[0].headers", dict(name="hook", kind=WEBHOOK, target="https://evil.example/"), "given again"),
    ("alerts.channels[0].target", dict(name="c", kind=EMAIL, target="nobody"), "address"),
    ("alerts.channels[0].quiet_zone", dict(name="c", kind=EMAIL, target="a@example.org", quiet_zone="Mars"), "zone"),
]


@pytest.mark.parametrize("field, channel, why", REFUSED, ids=[f"{row[0]}-{number}" for number, row in enumerate(REFUSED)])
def test_a_channel_that_a_document_cannot_make_is_refused_with_what_to_do(alerts, field, channel, why):
    alerts.put_channel("hook", WEBHOOK, headers=["Authorization: x"])
    document = admin_pb.TenantDocument(alerts=admin_pb.AlertDocument(channels=[pb.AlertChannel(**channel)]))
    for dry_run in (True, False):
        error = fails_with(Code.INVALID_ARGUMENT, alerts.apply, document, dry_run=dry_run)
        assert field_of(error) == "document." + field and why in error.details() and TOKEN not in error.details()
    assert alerts.channels().keys() == {"hook"}


def test_a_documents_rule_needs_its_channels(alerts):
    alerts.put_channel("ops")
    document = admin_pb.TenantDocument(alerts=admin_pb.AlertDocument(rules=[pb.AlertRule(name="r", kind=DENIAL, channels=["ops"])]))
    assert alerts.apply(document, dry_run=True).changes
    error = fails_with(Code.INVALID_ARGUMENT, alerts.apply, document, prune=True)
    assert field_of(error) == "document.alerts.rules[0].channels"
    document.alerts.rules.append(document.alerts.rules[0])
    assert field_of(fails_with(Code.INVALID_ARGUMENT, alerts.apply, document)) == "document.alerts.rules[1].name"


def run(bursar, alerts, *words, **options):
    return bursar("alert", *words, "--tenant", alerts.tenant, **options)


def test_the_command_line_takes_secrets_from_a_file_or_standard_input(alerts, bursar, postgres, tmp_path):
    (tmp_path / "url").write_text(SECRETS[0] + "\n")
    (tmp_path / "headers").write_text("Authorization: Bearer 1\nX-Team: ops\n")
    done = run(bursar, alerts, "channel", "put", "chat", "--kind", "slack", "--secret-file", str(tmp_path / "url"))
    assert done.returncode == 0 and SECRETS[0] not in done.stdout, done.stderr
    assert secret_of(postgres, alerts.tenant, "chat") == {"url": SECRETS[0]}
    done = run(bursar, alerts, "channel", "put", "phone", "--kind", "telegram", "--chat", "-100123", "--secret-file", "-", stdin=TOKEN + "\n")
    assert done.returncode == 0 and secret_of(postgres, alerts.tenant, "phone") == {"token": TOKEN}, done.stderr
    done = run(bursar, alerts, "channel", "put", "hook", "--webhook", HOOK, "--header-file", str(tmp_path / "headers"))
    made = re.search(r"whsec_\S+", done.stdout)[0]
    new = "whsec_" + "D" * 42 + "A="
    done = run(bursar, alerts, "channel", "put", "hook", "--secret-file", "-", stdin=f"{new}\n{made}\n")
    assert done.returncode == 0 and "whsec_" not in done.stdout, done.stderr
    assert secret_of(postgres, alerts.tenant, "hook") == {"secrets": [new, made], "headers": ["Authorization: Bearer 1", "X-Team: ops"]}


WRONG_WORDS = [
    (["channel", "put", "c"], "there is no channel c yet"), (["channel", "put", "c", "--email", "a@b", "--slack", "x"], "one destination"),
    (["channel", "put", "c", "--email", "nobody"], "--email: 'nobody'"), (["channel", "put", "c", "--slack", "nothing"], "--slack:"),
    (["channel", "put", "c", "--email", "a@example.org", "--quiet", "22-7"], "--quiet:"),
    (["channel", "put", "c", "--email", "a@example.org", "--quiet", "22:00-07:00[Mars]"], "--quiet:"),
    (["channel", "put", "c", "--email", "a@example.org", "--rate", "many"], "--rate:"), (["channel", "put", "c", "--email", "a@example.org", "--rate", "601"], "--rate:"),
    (["channel", "put", "c", "--email", "a@example.org", "--digest", "soon"], "--digest:"), (["channel", "put", "c", "--email", "a@example.org", "--digest", "25h"], "--digest:"),
    (["channel", "put", "c", "--email", "a@example.org", "--secret-file", "-"], "--secret-file:"), (["channel", "put", "c", "--email", "a@example.org", "--language", "xx"], "--language:"),
    (["channel", "test", "c"], "no channel c"), (["channel", "delete", "c"], "no channel c"),
    (["rule", "put", "r", "--percent", "lots"], "--percent:"), (["rule", "put", "r", "--percent", "2000"], "--percent:"), (["rule", "put", "r"], "--percent:"),
    (["rule", "put", "r", "--amount", "$5"], "--dimension cost"), (["rule", "put", "r", "--dimension", "costs", "--percent", "5"], "--dimension:"),
    (["rule", "put", "r", "--account-kinds", "usr", "--percent", "5"], "did you mean 'user'"), (["rule", "put", "r", "--kind", "anomaly", "--percent", "1,2"], "--percent:"),
    (["rule", "put", "r", "--percent", "5", "--channels", "ops"], "--channels:"), (["rule", "put", "r", "--percent", "5", "--window", "year"], "--window:"),
    (["rule", "delete", "r"], "no rule r"), (["delivery", "show", "x"], "not a delivery's number"), (["delivery", "resend", "9"], "no delivery 9"),
    (["event", "list", "--follow", "--system"], "--follow"), (["event", "list", "--kind", "thresholds"], "--kind:"),
]


@pytest.mark.parametrize("words, why", WRONG_WORDS, ids=[" ".join(words) for words, _ in WRONG_WORDS])
def test_the_command_line_says_which_word_is_wrong(alerts, bursar, words, why):
    done = run(bursar, alerts, *words, stdin="")
    assert done.returncode in (2, 4) and why in done.stderr and not done.stdout, done.stderr
    assert not alerts.channels() and list(alerts.rules()) == SHIPPED


def test_the_command_line_changes_what_is_given_and_no_more(alerts, bursar):
    assert run(bursar, alerts, "rule", "put", "limits", "--percent", "90,100").returncode == 0
    rule = alerts.rules()["limits"]
    assert list(rule.percents) == [90, 100] and list(rule.account_kinds) == [2, 3, 4, 5] and not rule.shipped
    run(bursar, alerts, "rule", "put", "limits", "--amount", "20,$1.50", "--dimension", "cost", "--window", "month", "--channels", "none")
    rule = alerts.rules()["limits"]
    assert list(rule.amounts) == [20_000_000_000, 1_500_000_000] and list(rule.percents) == [90, 100] and rule.no_channels
    run(bursar, alerts, "rule", "put", "limits", "--amount", "", "--account-kinds", "all", "--channels", "all", "--enabled", "no")
    rule = alerts.rules()["limits"]
    assert not rule.amounts and not rule.account_kinds and not rule.no_channels and rule.disabled
    run(bursar, alerts, "channel", "put", "mail", "--email", "a@example.org,b@example.org", "--digest", "15min", "--quiet", "22:00-07:00[Europe/Berlin]",
        "--rate", "30/min", "--least", "warning", "--language", "de", "--ordered", "yes")
    done = run(bursar, alerts, "channel", "put", "mail", "--enabled", "no")
    assert done.returncode == 0, done.stderr
    channel = alerts.channels()["mail"]
    assert (channel.target, channel.digest_us, channel.quiet_from_minute, channel.quiet_to_minute, channel.quiet_zone, channel.rate_per_minute, channel.least,
            channel.language, channel.ordered, channel.disabled) == ("a@example.org,b@example.org", 900_000_000, 1320, 420, "Europe/Berlin", 30, WARNING, "de", True, True)
    run(bursar, alerts, "channel", "put", "mail", "--quiet", "none", "--digest", "none", "--rate", "0", "--enabled", "yes")
    channel = alerts.channels()["mail"]
    assert not (channel.digest_us or channel.quiet_from_minute or channel.quiet_zone or channel.rate_per_minute or channel.disabled)


def test_yaml_holds_alerts_by_name(alerts, bursar, tmp_path):
    furnish(alerts)
    exported = bursar("export", "--tenant", alerts.tenant).stdout
    document = yaml.safe_load(exported)
    assert document["alerts"]["rules"] == {
        "half": {"kind": "threshold", "severity": "warning", "account_kinds": ["team", "tenant"], "dimension": "cost", "window": "month",
                 "percents": [50, 75], "channels": ["chat", "mail"]},
        "spend": {"kind": "anomaly", "severity": "warning", "disabled": True, "percent": 250, "minimum_nano_usd": 5_000_000_000, "no_channels": True}}
    assert document["alerts"]["channels"]["hook"] == {
        "kind": "webhook", "target": HOOK, "least": "info", "digest": "15min", "quiet_from": "22:00", "quiet_to": "07:00", "quiet_zone": "Europe/Berlin",
        "rate_per_minute": 30, "title": "{rule}!"}
    assert document["alerts"]["channels"]["chat"] == {"kind": "slack", "least": "info"}
    path = tmp_path / "fleet.yaml"
    path.write_text(exported)
    assert "nothing to change" in bursar("apply", "-f", str(path)).stdout
    document["alerts"]["rules"]["half"]["percents"] = [60]
    document["alerts"]["rules"]["late"] = {"kind": "key_ends", "after": "36h"}
    path.write_text(yaml.safe_dump(document))
    done = bursar("apply", "-f", str(path), "--yes")
    assert done.returncode == 0 and "alert rule half" in done.stdout and "[50,75] -> [60]" in done.stdout, done.stdout + done.stderr
    assert alerts.rules()["late"].after_s == 36 * 3600


@pytest.mark.parametrize("alerts_part, where", [
    ("[1]", "alerts: must be a map"), ("{chanels: {}}", "did you mean 'channels'"), ("{rules: {r: {kind: thresh}}}", "alerts.rules.r.kind: must be one of threshold"),
    ("{rules: {r: {kind: threshold, percents: 5}}}", "alerts.rules.r.percents: must be a list"), ("{rules: {r: {percents: [x]}}}", "alerts.rules.r.percents[0]: must be a whole number"),
    ("{channels: {c: {kind: email, target: a@example.org, quiet_from: late}}}", "must be a time of the day"), ("{rules: {r: {kind: key_ends, after: 500ms}}}", "whole seconds"),
    ("{channels: {c: {kind: slack}}}", "alerts.channels.c: a new channel of kind slack needs a secret"), ("{rules: {r: {kind: denial, channels: [nobody]}}}", "alerts.rules.r.channels"),
])
def test_yaml_that_is_wrong_is_refused_with_its_place(alerts, bursar, tmp_path, alerts_part, where):
    path = tmp_path / "fleet.yaml"
    path.write_text(f"tenant: {alerts.tenant}\nalerts: {alerts_part}\n")
    done = bursar("apply", "-f", str(path), "--yes")
    assert done.returncode in (2, 4) and where in done.stderr and ":2:" in done.stderr, done.stderr


def test_the_doctor_finds_paused_channels_and_messages_that_were_given_up(alerts, postgres):
    def found():
        return next(one for one in alerts.call("Diagnose", admin_pb.DiagnoseRequest(tenant=alerts.tenant)).checks if one.name == "alerts")

    alerts.put_channel("mail")
    assert (found().finding, found().found) == (admin_pb.FINDING_OK, "1 channels")
    delivery = deliver(postgres, alerts.tenant, state=DEAD)
    assert found().finding == admin_pb.FINDING_WARN and "given up" in found().found and "resend" in found().advice
    postgres.execute("update alert_channels set failures = 9, open_until = now() + interval '1 h' where tenant = %s", alerts.tenant)
    assert found().finding == admin_pb.FINDING_WARN and "1 of 1 channels are paused" in found().found
    alerts.put_channel("mail", target="new@example.org")
    alerts.resend(delivery)
    assert found().finding == admin_pb.FINDING_OK


def test_the_command_line_follows_events_as_they_happen(alerts, bursard, postgres, until):
    following = subprocess.Popen([program("bursar"), "alert", "event", "list", "--follow", "--limit", "2", "--rule", "limits", "--tenant", alerts.tenant],
                                 stdout=subprocess.PIPE, text=True, env={"BURSAR_ADDR": bursard.grpc_addr, "TZ": "UTC"})
    try:
        def happened():
            for rule in ("users", "limits"):
                happen(postgres, alerts.tenant, limit_name="l", dimension=0, unit=0, used=8, amount=10, percent=80, rule=rule)
            postgres.execute("update alert_events set seq = nextval('alert_seq') where seq is null")
            return following.poll() is not None

        until(happened)
        lines = following.stdout.read().splitlines()
    finally:
        following.kill()
        following.wait()
    assert following.returncode == 0 and len(lines) == 2 and all("warning" in line and "80%" in line for line in lines), lines
