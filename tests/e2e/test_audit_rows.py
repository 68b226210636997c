"""Whatever changes something leaves a row in the audit log: who, from where, what, of what, why, before, after."""
import datetime
import json

import pytest

from harness import protos, until
from bots import unique

pb, types, alerts = protos.admin_pb2, protos.types_pb2, protos.alerts_pb2
KEY, POOL, TENANT = "the key of this test", "gpu", "default"

# Of those that change nothing, and so leave no row. An RPC that is in neither list fails the test.
READS = ("GetAccount ListAccounts GetTenant ListTenants GetTier ListTiers ListTexts Export GetPrice ListPrices ListAliases ListFamilies GetStats GetMonthlyReport GetReport GetForecast "
         "CompareCosts GetPool ListPools GetPoolStats WatchPool Watch ListKeys ListAudit GetProof Diagnose ListReservations GetReservation "
         "GetCaller CreateSession RedeemLogin "
         "ListAlertRules ListAlertChannels ListAlertEvents ListAlertDeliveries GetAlertDelivery").split()


def ref(user):
    return pb.AccountRef(id=user)


def price():
    return pb.Price(provider="acme", model="m-1", input="1", output="2")


# RPC -> (what has to be done before, the request, action, target); {user}: the test's own.
CHANGES = {
    "PutAccount": ((), lambda u: pb.PutAccountRequest(ref=ref(u), tier="pro"), "account.change", "user/{user}"),
    "SetTier": (("PutAccount",), lambda u: pb.SetTierRequest(ref=ref(u), tier="enterprise"), "account.change", "user/{user}"),
    "OverrideLimits": ((), lambda u: pb.OverrideLimitsRequest(ref=ref(u), limits=[types.Limit(dimension=1, kind=2, window=1, amount=5)]),
                       "account.change", "user/{user}"),
    "Suspend": ((), lambda u: pb.SuspendRequest(ref=ref(u)), "account.change", "user/{user}"),
    "Unsuspend": (("Suspend",), lambda u: pb.UnsuspendRequest(ref=ref(u)), "account.change", "user/{user}"),
    "DeleteAccount": (("PutAccount",), lambda u: pb.DeleteAccountRequest(ref=ref(u)), "account.change", "user/{user}"),
    "EraseAccount": (("PutAccount", "DeleteAccount"), lambda u: pb.EraseAccountRequest(ref=ref(u)), "account.erase", "user/erased-"),
    "SetGrace": ((), lambda u: pb.SetGraceRequest(ref=ref(u), until_us=4_000_000_000_000_000), "account.change", "user/{user}"),
    "SetBypass": ((), lambda u: pb.SetBypassRequest(ref=ref(u), bypass=True), "account.change", "user/{user}"),
    "Reset": (("PutAccount",), lambda u: pb.ResetRequest(ref=ref(u)), "account.reset", "user/{user}"),
    "CancelReservation": ((), lambda u: pb.CancelReservationRequest(reservation=types.ReservationRef(user=u, request_id="r-1")),
                          "reservation.cancel", "user/{user}"),
    "AdjustLedger": ((), lambda u: pb.AdjustLedgerRequest(user=u, cost_nano_usd=5, reason="x"), "ledger.adjust", "user/{user}"),
    "RerateLedger": ((), lambda u: pb.RerateLedgerRequest(from_day=str(datetime.date.today() - datetime.timedelta(days=1)), reason="x"), "ledger.rerate", "tenant/" + TENANT),
    "ChangeAccounts": (("PutAccount",), lambda u: pb.ChangeAccountsRequest(ids=[u], change=pb.AccountChange(action=pb.ACCOUNT_ACTION_SUSPEND)),
                       "account.change", "user/{user}"),
    "PutTenant": ((), lambda u: pb.PutTenantRequest(tenant=pb.Tenant(id=TENANT, language="de")), "tenant.put", TENANT),
    "PutTier": ((), lambda u: pb.PutTierRequest(tier=pb.Tier(name="gold")), "tier.put", "gold"),
    "DeleteTier": (("PutTier",), lambda u: pb.DeleteTierRequest(name="gold"), "tier.delete", "gold"),
    "PutText": ((), lambda u: pb.PutTextRequest(text=pb.Text(code="wait", language="en", text="{wait}!")), "text.put", "wait/en"),
    "DeleteText": (("PutText",), lambda u: pb.DeleteTextRequest(code="wait", language="en"), "text.delete", "wait/en"),
    "PutPrice": ((), lambda u: pb.PutPriceRequest(price=price()), "price.put", "acme/m-1"),
    "ImportPrices": ((), lambda u: pb.ImportPricesRequest(prices=[price()]), "price.put", "acme/m-1"),
    "EndPrice": (("PutPrice",), lambda u: pb.EndPriceRequest(provider="acme", model="m-1"), "price.end", "acme/m-1"),
    "PutAlias": ((), lambda u: pb.PutAliasRequest(alias=pb.Alias(name=u, model="gpt-4o")), "alias.put", "{user}"),
    "DeleteAlias": (("PutAlias",), lambda u: pb.DeleteAliasRequest(name=u), "alias.delete", "{user}"),
    "ImportAliases": ((), lambda u: pb.ImportAliasesRequest(aliases=[pb.Alias(name=u, model="gpt-4o")]), "alias.put", "{user}"),
    "PutFamily": ((), lambda u: pb.PutFamilyRequest(family=pb.Family(pattern=u + "*", model="gpt-4o")), "family.put", "{user}*"),
    "DeleteFamily": (("PutFamily",), lambda u: pb.DeleteFamilyRequest(pattern=u + "*"), "family.delete", "{user}*"),
    "Apply": ((), lambda u: pb.ApplyRequest(document=pb.TenantDocument(tiers=[pb.Tier(name="gold")])), "tier.put", "gold"),
    "PutPool": ((), lambda u: pb.PutPoolRequest(ref=pb.PoolRef(name=POOL), slots=3), "pool.change", POOL),
    "ResumePool": (("PutPool",), lambda u: pb.ResumePoolRequest(ref=pb.PoolRef(name=POOL)), "pool.change", POOL),
    "CreateKey": ((), lambda u: pb.CreateKeyRequest(role=2, label=KEY), "key.create", None),
    "RotateKey": (("CreateKey",), lambda u: pb.RotateKeyRequest(id=2), "key.rotate", None),
    "RevokeKey": (("CreateKey",), lambda u: pb.RevokeKeyRequest(id=2), "key.revoke", "2"),
    "CreateLogin": ((), lambda u: pb.CreateLoginRequest(), "login.create", "1"),
    "PutAlertRule": ((), lambda u: alerts.PutAlertRuleRequest(rule=alerts.AlertRule(name="half", kind=1, percents=[50])), "alert_rule.put", "half"),
    "DeleteAlertRule": (("PutAlertRule",), lambda u: alerts.DeleteAlertRuleRequest(name="half"), "alert_rule.delete", "half"),
    "PutAlertChannel": ((), lambda u: alerts.PutAlertChannelRequest(channel=alerts.AlertChannel(name="ops", kind=1, target="https://example.org/")), "alert_channel.put", "ops"),
    "DeleteAlertChannel": (("PutAlertChannel",), lambda u: alerts.DeleteAlertChannelRequest(name="ops"), "alert_channel.delete", "ops"),
    "TestAlertChannel": (("PutAlertChannel",), lambda u: alerts.TestAlertChannelRequest(name="ops"), "alert_channel.test", "ops"),
    "ResendAlertDelivery": (("PutAlertChannel",), lambda u: alerts.ResendAlertDeliveryRequest(id=1), "alert_delivery.resend", "1"),
}
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["Admin"].methods]


@pytest.mark.parametrize("name", [name for name in METHODS if name not in READS])
def test_a_change_says_who_made_it_from_where_and_why(bots, postgres, name):
    user, told = unique("user"), unique("because")
    operator = bots.admin.CreateKey(pb.CreateKeyRequest(role=5, label="ops"), timeout=20).secret
    metadata = [("authorization", "Bearer " + operator)]

    def call(name, **more):
        request = CHANGES[name][1](user)
        for field, value in more.items():
            setattr(request, field, value)
        answer = getattr(bots.admin, name)(request, timeout=20, metadata=metadata)
        return list(answer) if hasattr(answer, "cancel") else answer

    before, _, action, target = CHANGES[name]
    for earlier in before:
        call(earlier)
    if name == "Reset":  # of something
        held = bots.limiter.Check(bots.request(user), timeout=20, metadata=metadata)
        bots.limiter.Record(bots.limiter_pb.RecordRequest(reservation=types.ReservationRef(handle=held.reservation), usage={}), timeout=20, metadata=metadata)
    if name == "CancelReservation":
        bots.limiter.Check(bots.request(user, request_id="r-1"), timeout=20, metadata=metadata)
    if name == "RerateLedger":  # what had no price
        held = bots.limiter.Check(bots.request(user), timeout=20, metadata=metadata)
        bots.limiter.Record(bots.limiter_pb.RecordRequest(reservation=types.ReservationRef(handle=held.reservation), model="m-1",
                                                          usage={"input_tokens": 1}), timeout=20, metadata=metadata)
        until(lambda: bots.admin.GetProof(pb.GetProofRequest(), timeout=60, metadata=metadata).undrained == 0, "the record in the ledger")
        call("PutPrice")
    if name == "ResendAlertDelivery":  # what was given up
        postgres.execute("insert into alert_deliveries (message_id, tenant, channel, events, state, created_at, give_up_at, next_at) "
                         "values ('m', 'default', 'ops', '{1}', 3, now(), now(), now())")
    call(name, reason=told)

    def rows():
        entries = bots.admin.ListAudit(pb.ListAuditRequest(all_tenants=True), timeout=20, metadata=metadata).entries
        return [row for row in entries if row.reason == told and row.action == action]

    if name in ("Reset", "AdjustLedger"):  # by way of the outbox
        until(rows, "the row")
    row = rows()[0]
    assert row.actor.startswith("key 1 (ops) from ipv4:127.0.0.1:") and row.at_us > 0
    assert target is None or row.target.startswith(target.format(user=user))
    was, now = json.loads(row.before), json.loads(row.details)
    assert was != now
    if before:
        assert was is not None or name in ("CreateKey", "RotateKey", "EraseAccount", "TestAlertChannel"), "there was something before"


def test_what_only_reads_is_told_apart_from_what_changes():
    assert sorted(READS) == sorted(name for name in METHODS if name not in CHANGES)
    for name, (_, request, _, _) in CHANGES.items():
        assert request("x").DESCRIPTOR.fields_by_name["reason"], name
