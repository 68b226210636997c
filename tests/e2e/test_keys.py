"""The doors: which key may call what, of which tenant, from where, and until when."""
import threading

import grpc
import pytest

from harness import protos, run_bursar
from harness.paths import ROOT
from bots import Bots, unique

Code = grpc.StatusCode
DAY = 86_400_000_000
OURS, THEIRS = "ours", "theirs"
USER, BOT, VIEWER, ADMIN, OPERATOR = range(1, 6)
ROLES = {"user": USER, "bot": BOT, "viewer": VIEWER, "admin": ADMIN, "operator": OPERATOR}

# Who may call what: written here once more, by hand. An RPC that is not in it fails the test.
CALLS = "Check CheckBatch CheckStream Record RecordBatch Acquire Release Renew Cancel"
READS = ("GetAccount ListAccounts GetTenant GetTier ListTiers ListTexts GetPrice ListPrices ListAliases ListFamilies GetStats GetMonthlyReport GetReport GetForecast CompareCosts GetPool ListPools "
         "GetPoolStats WatchPool Watch GetProof Export ListReservations GetReservation "
         "ListAlertRules ListAlertChannels ListAlertEvents ListAlertDeliveries GetAlertDelivery")
CHANGES = ("PutAccount SetTier OverrideLimits Suspend Unsuspend DeleteAccount EraseAccount SetGrace SetBypass Reset AdjustLedger RerateLedger CancelReservation ChangeAccounts PutTenant PutTier DeleteTier PutText DeleteText "
           "Apply PutPrice ImportPrices EndPrice PutAlias DeleteAlias ImportAliases PutFamily DeleteFamily PutPool ResumePool "
           "Diagnose CreateKey ListKeys RotateKey RevokeKey ListAudit "
           "PutAlertRule DeleteAlertRule PutAlertChannel DeleteAlertChannel TestAlertChannel ResendAlertDelivery")
MAY = {
    **{name: {"bot", "admin", "operator"} for name in CALLS.split()},
    **{name: {"viewer", "admin", "operator"} for name in READS.split()},
    **{name: {"admin", "operator"} for name in CHANGES.split()},
    "GetStatus": {"user", "bot", "viewer", "admin", "operator"},
    "Events": {"user", "bot", "viewer", "admin", "operator"},
    "EstimateCost": {"bot", "viewer", "admin", "operator"},
    "Explain": {"bot", "viewer", "admin", "operator"},
    "ListTenants": {"operator"},
    **{name: {"user", "bot", "viewer", "admin", "operator"} for name in "GetCaller CreateLogin CreateSession RedeemLogin".split()},
}
# About the caller, or a secret: they name no tenant.
TENANTLESS = {"GetCaller", "CreateLogin", "CreateSession", "RedeemLogin"}
# Open to everybody; test_sessions.py tests what it refuses.
OPEN = {"RedeemLogin"}


def methods():
    for pb, service in ((protos.limiter_pb2, "Limiter"), (protos.admin_pb2, "Admin")):
        for method in pb.DESCRIPTOR.services_by_name[service].methods:
            yield pytest.param(service, method.name, id=method.name)


class Caller:
    """Calls any method with a key."""

    def __init__(self, bots, secret=None):
        self.bots, self.metadata = bots, [("authorization", "Bearer " + secret)] if secret else []

    def __getattr__(self, name):
        stub = self.bots.limiter if hasattr(self.bots.limiter, name) else self.bots.admin
        method = getattr(stub, name)
        return lambda request, **options: self.call(method, request, **options)

    def call(self, method, request, metadata=(), timeout=20):
        if isinstance(method, grpc.StreamStreamMultiCallable):
            request = iter([request])
        answer = method(request, timeout=timeout, metadata=[*self.metadata, *metadata])
        if hasattr(answer, "cancel"):  # a stream: its first message says enough
            try:
                return next(answer)
            finally:
                answer.cancel()
        return answer


def code_of(call, *args, **options):
    try:
        answer = call(*args, **options)
        if isinstance(answer, protos.limiter_pb2.CheckStreamResponse):  # an error concerns its item only
            return next(code for code in Code if code.value[0] == answer.items[0].error.code)
        return Code.OK
    except grpc.RpcError as error:
        return error.code()


def is_no_key(call, *args):
    """Whether the caller's key is refused. Waiting for a new key may have used up the ten refusals a minute that say why."""
    return code_of(call, *args) in (Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED)


def refusal(call, *args, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **options)
    return caught.value.code(), caught.value.details()


class House:
    """A bursard with an operator's key, and one of every role in the tenant OURS."""

    def __init__(self, bots):
        self.bots, self.pb = bots, bots.admin_pb
        self.nobody = Caller(bots)
        answer = self.nobody.CreateKey(self.pb.CreateKeyRequest(role=OPERATOR, label="ops"))
        self.operator_key, self.operator = answer.key, Caller(bots, answer.secret)
        self.secrets = [answer.secret]
        self.callers = {"operator": self.operator}
        for role in ("user", "bot", "viewer", "admin"):
            self.callers[role] = self.make(role)

    def make(self, role, tenant=OURS, by=None, **fields):
        answer = self.create(role, tenant, by, **fields)
        return Caller(self.bots, answer.secret)

    def create(self, role, tenant=OURS, by=None, **fields):
        if role == "user":
            fields.setdefault("account", "alice")
        request = self.pb.CreateKeyRequest(role=ROLES[role], tenant=tenant, **fields)
        answer = (by or self.operator).CreateKey(request)
        self.secrets.append(answer.secret)
        return answer


@pytest.fixture
def house(bots):
    return House(bots)


def name_tenant(message, tenant):
    """Puts the tenant wherever the request has a place for one."""
    for field in message.DESCRIPTOR.fields:
        if field.name == "tenant" and field.type == field.TYPE_STRING:
            setattr(message, "tenant", tenant)
        elif field.type == field.TYPE_MESSAGE and field.name in ("ref", "check", "reservation", "tier", "price", "text", "alias", "family", "tenant", "rule", "channel"):
            name_tenant(getattr(message, field.name), tenant)
        elif field.type == field.TYPE_MESSAGE and field.name == "items":
            name_tenant(message.items.add(), tenant)
        elif field.name == "id" and message.DESCRIPTOR.name in ("Tenant", "GetTenantRequest"):
            message.id = tenant
    return message


def request_of(service, name, tenant):
    pb = protos.limiter_pb2 if service == "Limiter" else protos.admin_pb2
    kind = pb.DESCRIPTOR.services_by_name[service].methods_by_name[name].input_type.name
    return name_tenant(getattr(pb if hasattr(pb, kind) else protos.alerts_pb2, kind)(), tenant)


DOOR = (Code.PERMISSION_DENIED, Code.UNAUTHENTICATED)


def test_every_rpc_lets_in_the_roles_it_is_for_and_holds_them_to_their_tenant(house):
    theirs = house.create("admin", THEIRS)
    foreign = Caller(house.bots, house.secrets[-1])
    lease = foreign.Acquire(house.bots.limiter_pb.AcquireRequest(
        check=house.bots.limiter_pb.CheckRequest(user="bob"), mode=house.bots.limiter_pb.LEASE_MODE_EXPLICIT))
    wrong = []
    for param in methods():
        service, name = param.values
        assert name in MAY, f"{name} has no rule: say who may call it"
        for role, caller in house.callers.items():
            call = getattr(caller, name)
            mine = code_of(call, request_of(service, name, OURS))
            if (mine not in DOOR) != (role in MAY[name]):
                wrong.append(f"{name} by {role}: {mine}")
            if role == "operator" or role not in MAY[name] or name in TENANTLESS:
                continue
            request = request_of(service, name, THEIRS)
            if name in ("RotateKey", "RevokeKey"):
                request.id = theirs.key.id
            elif name == "Release":
                request.lease = lease.granted.lease
            other = code_of(call, request)
            if other != (Code.NOT_FOUND if name in ("RotateKey", "RevokeKey") else Code.PERMISSION_DENIED):
                wrong.append(f"{name} by {role} of another tenant: {other}")
        anonymous = code_of(getattr(house.nobody, name), request_of(service, name, OURS))
        if name not in OPEN and anonymous not in (Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED):  # the latter after ten of them
            wrong.append(f"{name} without a key: {anonymous}")
    assert not wrong, "\n".join(wrong)


def test_handles_of_another_tenant_open_nothing(house):
    pb, types = house.bots.limiter_pb, house.bots.types
    theirs = house.make("bot", THEIRS)
    check = theirs.Check(pb.CheckRequest(user="bob"))
    ref = types.ReservationRef(handle=check.reservation)
    ours = house.callers["bot"]
    for name, request in (("Record", pb.RecordRequest(reservation=ref, usage={})), ("Cancel", pb.CancelRequest(reservation=ref)),
                          ("Renew", pb.RenewRequest(reservation=ref)),
                          ("RecordBatch", pb.RecordBatchRequest(items=[pb.RecordRequest(reservation=ref, usage={})]))):
        assert code_of(getattr(ours, name), request) == Code.PERMISSION_DENIED, name
    assert not theirs.Record(pb.RecordRequest(reservation=ref, usage={})).late


def test_a_tenant_that_is_not_named_is_the_keys_own(house):
    pb, admin_pb = house.bots.limiter_pb, house.pb
    user = unique("user")
    house.callers["admin"].PutAccount(admin_pb.PutAccountRequest(ref=admin_pb.AccountRef(id=user), tier="pro"))
    account = house.operator.GetAccount(admin_pb.GetAccountRequest(ref=admin_pb.AccountRef(tenant=OURS, id=user)))
    assert account.known and account.tier == "pro"
    assert not house.operator.GetAccount(admin_pb.GetAccountRequest(ref=admin_pb.AccountRef(id=user))).known
    house.callers["bot"].CheckBatch(pb.CheckBatchRequest(items=[pb.CheckRequest(user=user)]))
    requests = [limit for limit in house.operator.GetStatus(pb.GetStatusRequest(tenant=OURS, user=user)).accounts[0].limits]
    assert any(limit.held == 1 for limit in requests)
    pool = house.callers["admin"].PutPool(admin_pb.PutPoolRequest(slots=7))
    assert pool.ref.tenant == OURS
    assert house.operator.GetPool(admin_pb.GetPoolRequest()).slots != 7


def test_the_first_key_is_an_operators_and_closes_the_door(bots):
    pb = bots.admin_pb
    code, text = refusal(bots.admin.CreateKey, pb.CreateKeyRequest(role=BOT))
    assert code == Code.FAILED_PRECONDITION and "operator" in text
    assert bots.check(unique("user")).allowed
    House(bots)
    code, text = refusal(bots.check, unique("user"))
    assert code == Code.UNAUTHENTICATED and "Bearer" in text


def test_a_key_is_revoked_everywhere_and_the_last_operators_is_not(start_bursard, until):
    fleets = [Bots(protos, start_bursard(workers=2).grpc_addr) for _ in range(2)]
    house = House(fleets[0])
    answer = house.create("bot")
    there = Caller(fleets[1], answer.secret)
    check = house.bots.limiter_pb.CheckRequest(user="carol")
    until(lambda: code_of(there.Check, check) == Code.OK)
    key = house.operator.RevokeKey(house.pb.RevokeKeyRequest(id=answer.key.id, reason="leaked"))
    assert key.revoked_at_us > 0
    until(lambda: is_no_key(there.Check, check))
    code, _ = refusal(house.operator.RevokeKey, house.pb.RevokeKeyRequest(id=house.operator_key.id))
    assert code == Code.FAILED_PRECONDITION
    for fleet in fleets:
        fleet.close()


def test_a_rotated_key_works_until_the_overlap_is_over(house, until):
    first = house.create("bot", label="telegram", interfaces=["telegram"])
    status = house.bots.limiter_pb.GetStatusRequest(user="dave")
    old = Caller(house.bots, first.secret)
    second = house.operator.RotateKey(house.pb.RotateKeyRequest(id=first.key.id))
    new = Caller(house.bots, second.secret)
    assert (second.key.label, list(second.key.interfaces), second.key.role) == ("telegram", ["telegram"], BOT)
    until(lambda: code_of(new.GetStatus, status) == Code.OK)
    assert code_of(old.GetStatus, status) == Code.OK
    third = house.operator.RotateKey(house.pb.RotateKeyRequest(id=second.key.id, overlap_us=0))
    until(lambda: is_no_key(new.GetStatus, status))
    until(lambda: code_of(Caller(house.bots, third.secret).GetStatus, status) == Code.OK)
    code, text = refusal(house.operator.RotateKey, house.pb.RotateKeyRequest(id=first.key.id))
    assert code == Code.FAILED_PRECONDITION and "rotated" in text


def test_a_key_ends_when_it_expires(house, stack, until):
    caller = house.make("bot", expires_at_us=stack.redis_server.time_us() + 3_000_000)
    status = house.bots.limiter_pb.GetStatusRequest(user="dave")
    until(lambda: code_of(caller.GetStatus, status) == Code.UNAUTHENTICATED)
    assert refusal(caller.GetStatus, status)[1] == "the key has expired"
    key = next(key for key in house.operator.ListKeys(house.pb.ListKeysRequest(tenant=OURS, ended_too=True)).keys if key.expires_at_us)
    for past in ({}, {"expires_at_us": 1}):  # a successor that is dead at once would lock its holder out
        code, text = refusal(house.operator.RotateKey, house.pb.RotateKeyRequest(id=key.id, **past))
        assert code == Code.FAILED_PRECONDITION and "expires_at_us" in text
    later = stack.redis_server.time_us() + DAY
    revived = house.operator.RotateKey(house.pb.RotateKeyRequest(id=key.id, expires_at_us=later))
    assert code_of(Caller(house.bots, revived.secret).GetStatus, status) == Code.OK


def test_a_key_is_held_to_its_networks_and_interfaces(house):
    pb = house.bots.limiter_pb
    answer = house.operator.CreateKey(house.pb.CreateKeyRequest(role=BOT, tenant=OURS, addresses=["10.0.0.0/8"]))
    here = house.make("bot", addresses=["10.0.0.0/8", "127.0.0.0/8"])
    assert here.Check(pb.CheckRequest(user="erin")).allowed
    code, _ = refusal(Caller(house.bots, answer.secret).Check, pb.CheckRequest(user="erin"))
    assert code == Code.UNAUTHENTICATED
    bot = house.make("bot", interfaces=["telegram", "web"])
    assert bot.Check(pb.CheckRequest(user="erin")).allowed
    assert bot.Check(pb.CheckRequest(user="erin", interface="web")).allowed
    assert refusal(bot.Check, pb.CheckRequest(user="erin", interface="discord"))[0] == Code.PERMISSION_DENIED
    for fields in ({"addresses": ["10.0.0.0/33"]}, {"addresses": ["somewhere"]}, {"interfaces": ["a\nb"]}):
        code, text = refusal(house.operator.CreateKey, house.pb.CreateKeyRequest(role=BOT, tenant=OURS, **fields))
        assert code == Code.INVALID_ARGUMENT and text.startswith(next(iter(fields)))


def test_a_users_key_shows_his_own_status_and_nothing_else(house):
    pb = house.bots.limiter_pb
    alice = house.callers["user"]
    assert alice.GetStatus(pb.GetStatusRequest()).accounts[0].id == "alice"
    assert code_of(alice.GetStatus, pb.GetStatusRequest(user="alice", tenant=OURS)) == Code.OK
    assert refusal(alice.GetStatus, pb.GetStatusRequest(user="bob"))[0] == Code.PERMISSION_DENIED


def test_wrong_keys_are_counted_by_address_and_a_right_one_still_works(house, bursard):
    status = house.bots.limiter_pb.GetStatusRequest(user="dave")
    before = bursard.metric("logins_failed_total")
    codes = [code_of(Caller(house.bots, f"bsk_{'A' * 40}{i:03}").GetStatus, status) for i in range(60)]
    assert codes[0] == Code.UNAUTHENTICATED and codes[-1] == Code.RESOURCE_EXHAUSTED
    assert set(codes) == {Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED}
    assert code_of(house.callers["bot"].GetStatus, status) == Code.OK
    assert bursard.metric("logins_failed_total") == before + 60
    said = ""
    for _ in range(11):  # each worker counts by itself, up to ten
        if "too many invalid keys from" not in said:
            said = run_bursar(bursard.grpc_addr, "status", "dave", BURSAR_KEY="bsk_" + "A" * 43).stderr
    assert "too many invalid keys from" in said and "A valid key is accepted at once" in said
    assert "full" not in said and "busy" not in said
    for text in ("", "Bearer", "Basic abc", "Bearer  "):
        assert code_of(house.nobody.GetStatus, status, metadata=[("authorization", text)]) in (
            Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED)


def test_a_leaked_dump_opens_nothing(house, stack):
    with stack.sql() as sql:
        sql.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        dump = ""
        for (table,) in sql.fetchall():
            sql.execute(f'SELECT t::text FROM "{table}" t')
            dump += "\n".join(row for (row,) in sql.fetchall())
        sql.execute("SELECT encode(hash, 'hex'), encode(hash, 'base64'), prefix FROM api_keys")
        rows = sql.fetchall()
    assert rows and len(house.secrets) == len(rows)
    status = house.bots.limiter_pb.GetStatusRequest(user="dave")
    for secret in house.secrets:
        assert secret not in dump and secret[4:] not in dump
    for row in rows[:3]:
        for text in row:
            assert code_of(Caller(house.bots, text).GetStatus, status) == Code.UNAUTHENTICATED


def test_an_admin_makes_no_operator_and_sees_no_other_tenant(house):
    admin = house.callers["admin"]
    assert refusal(admin.CreateKey, house.pb.CreateKeyRequest(role=OPERATOR))[0] == Code.PERMISSION_DENIED
    house.make("bot", THEIRS)
    assert {key.tenant for key in admin.ListKeys(house.pb.ListKeysRequest()).keys} == {OURS}
    assert refusal(admin.ListKeys, house.pb.ListKeysRequest(all_tenants=True))[0] == Code.PERMISSION_DENIED
    everybody = house.operator.ListKeys(house.pb.ListKeysRequest(all_tenants=True)).keys
    assert {key.tenant for key in everybody} == {"", OURS, THEIRS}
    page = house.operator.ListKeys(house.pb.ListKeysRequest(all_tenants=True, page_size=2))
    rest = house.operator.ListKeys(house.pb.ListKeysRequest(all_tenants=True, page_token=page.next_page_token))
    assert [*page.keys, *rest.keys] == list(everybody)


def test_the_last_use_of_a_key_is_shown(house, until):
    answer = house.create("bot", label="used")
    Caller(house.bots, answer.secret).GetStatus(house.bots.limiter_pb.GetStatusRequest(user="dave"))

    def used():
        keys = house.operator.ListKeys(house.pb.ListKeysRequest(tenant=OURS)).keys
        return [key for key in keys if key.id == answer.key.id and key.last_used_at_us and key.last_used_from == "127.0.0.1"]

    until(used)


def test_the_audit_log_names_who_did_what_and_each_tenant_sees_its_own(house):
    user = unique("user")
    admin, pb = house.callers["admin"], house.pb
    admin.SetTier(pb.SetTierRequest(ref=pb.AccountRef(id=user), tier="pro", reason="paid"))
    house.operator.SetTier(pb.SetTierRequest(ref=pb.AccountRef(tenant=THEIRS, id=user), tier="pro"))
    mine = admin.ListAudit(pb.ListAuditRequest(target="user/" + user)).entries
    assert [(entry.tenant, entry.reason) for entry in mine] == [(OURS, "paid")]
    assert mine[0].actor.startswith("key ") and " from ipv4:127.0.0.1:" in mine[0].actor and "pro" in mine[0].details
    assert mine[0].before == "null"
    admin.SetTier(pb.SetTierRequest(ref=pb.AccountRef(id=user), tier="free"))
    admin.PutTier(pb.PutTierRequest(tier=pb.Tier(name="pro")))
    admin.PutPool(pb.PutPoolRequest(slots=3))
    admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(language="de")))
    entries = {entry.action: entry for entry in reversed(admin.ListAudit(pb.ListAuditRequest()).entries)}
    for action, was, now in (("account.change", '"tier": "pro"', '"tier": "free"'), ("tier.put", '"dimension"', '"limits": null'),
                             ("pool.change", '"slots": 5', '"slots": 3'), ("tenant.put", '"language": "en"', '"language": "de"')):
        assert was in entries[action].before and now in entries[action].details, entries[action]
    keys = house.operator.ListAudit(pb.ListAuditRequest(all_tenants=True, action="key.")).entries
    assert {entry.action for entry in keys} == {"key.create"} and keys[-1].actor.startswith("anonymous")
    assert not any(secret[4:] in entry.details for entry in keys for secret in house.secrets)
    assert [entry.id for entry in keys] == sorted((entry.id for entry in keys), reverse=True)
    assert refusal(admin.ListAudit, pb.ListAuditRequest(all_tenants=True))[0] == Code.PERMISSION_DENIED


def test_the_command_line_makes_uses_and_ends_keys(bursar, tmp_path, until):
    path = tmp_path / "key"

    made = bursar("key", "create", "operator", "--label", "ops")
    assert made.returncode == 0, made.stderr
    secret = next(line.strip() for line in made.stdout.splitlines() if line.strip().startswith("bsk_"))
    until(lambda: bursar("tier", "list").returncode == 4)
    refused = bursar("tier", "list")
    assert "UNAUTHENTICATED" in refused.stderr and "--key-file" in refused.stderr
    path.write_text(secret + "\n")
    assert bursar("tier", "list", "--key-file", str(path)).returncode == 0
    path.write_text(secret)
    assert bursar("tier", "list", BURSAR_KEY_FILE=str(path)).returncode == 0
    assert bursar("tier", "list", BURSAR_KEY=secret).returncode == 0
    assert bursar("tier", "list", "--key-file", str(tmp_path / "none")).returncode == 2
    assert bursar("tier", "list", BURSAR_KEY="bsk_ not\none").returncode == 2
    bot = bursar("key", "create", "bot", "--tenant", "acme", "--interface", "web", "--expires", "1h", BURSAR_KEY=secret)
    number = bot.stdout.split()[1]
    listed = bursar("key", "list", "--tenant", "acme", BURSAR_KEY=secret).stdout
    assert "bot" in listed and secret not in listed
    assert bursar("key", "rotate", number, "--overlap", "1min", BURSAR_KEY=secret).returncode == 0
    assert "revoked" in bursar("key", "revoke", number, BURSAR_KEY=secret).stdout
    assert bursar("key", "revoke", "seven", BURSAR_KEY=secret).returncode == 2
    assert "key.revoke" in bursar("audit", "--action", "key", "--tenant", "acme", BURSAR_KEY=secret).stdout
    sample = str(ROOT / "deploy" / "data" / "sample_requests.csv")
    assert bursar("replay", sample, "--users", "30", BURSAR_KEY=secret).returncode == 0
    assert bursar("run", "--user", "ann", "--", "true", BURSAR_KEY=secret).returncode == 0


def test_a_deleted_account_is_refused_until_it_is_put_again(bots):
    pb, user = bots.admin_pb, unique("user")
    ref = pb.AccountRef(id=user)
    assert refusal(bots.admin.DeleteAccount, pb.DeleteAccountRequest(ref=ref))[0] == Code.NOT_FOUND
    bots.admin.PutAccount(pb.PutAccountRequest(ref=ref, tier="pro"))
    assert bots.check(user).allowed
    assert bots.admin.DeleteAccount(pb.DeleteAccountRequest(ref=ref, reason="left")).deleted
    denied = bots.check(user)
    assert not denied.allowed and denied.reason == bots.types.REASON_DELETED
    bots.admin.PutAccount(pb.PutAccountRequest(ref=ref))
    assert bots.check(user).allowed


def test_a_stop_waits_for_the_last_use_that_is_being_written(bots, bursard, stack, until):
    house = House(bots)
    with stack.sql() as lock:
        lock.execute("BEGIN")
        lock.execute("LOCK TABLE api_key_uses IN ACCESS EXCLUSIVE MODE")
        house.operator.GetStatus(bots.limiter_pb.GetStatusRequest(user="dave"))

        def writes():
            with stack.sql() as sql:
                sql.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%api_key_uses%'")
                return sql.fetchone()[0] > 0

        until(writes)
        stopping = threading.Thread(target=bursard.terminate)
        stopping.start()
        until(lambda: "bursard is stopping" in bursard.log())
        stopping.join(0.5)
        assert stopping.is_alive(), "the write still holds it up"
        lock.execute("ROLLBACK")
    stopping.join(60)
    assert not stopping.is_alive() and not bursard.sanitizer_report() and bursard.popen.returncode == 0


def test_no_part_of_a_document_or_list_reaches_another_tenant(house):
    pb, types, admin = house.pb, house.bots.types, house.callers["admin"]
    for document in (pb.TenantDocument(tenant=pb.Tenant(id=THEIRS)), pb.TenantDocument(tiers=[pb.Tier(tenant=THEIRS, name="x")]),
                     pb.TenantDocument(pools=[pb.Pool(ref=pb.PoolRef(tenant=THEIRS, name="x"), slots=1)]),
                     pb.TenantDocument(accounts=[pb.Account(ref=pb.AccountRef(tenant=THEIRS, kind=types.ACCOUNT_KIND_TEAM, id="x"))])):
        assert refusal(admin.Apply, pb.ApplyRequest(document=document))[0] == Code.PERMISSION_DENIED, document
        code, text = refusal(house.operator.Apply, pb.ApplyRequest(tenant=OURS, document=document))
        assert code == Code.INVALID_ARGUMENT and "another tenant" in text
    price = pb.Price(provider="openai", model="gpt-4o", input="1", output="2")
    theirs = pb.Price(tenant=THEIRS, provider="openai", model="gpt-4o", input="1", output="2")
    assert refusal(admin.ImportPrices, pb.ImportPricesRequest(prices=[price, theirs]))[0] == Code.PERMISSION_DENIED
    for request in (pb.ImportPricesRequest(prices=[price]), pb.ImportPricesRequest(csv="provider,model,input_usd_per_1m\nopenai,o3,1\n", yes=True)):
        assert [change.after.tenant for change in admin.ImportPrices(request).changes] == [OURS]
    assert admin.EndPrice(pb.EndPriceRequest(provider="openai", model="o3")).tenant == OURS
    assert refusal(admin.EndPrice, pb.EndPriceRequest(provider="openai", model="o3"))[0] == Code.NOT_FOUND
    document = admin.Export(pb.ExportRequest())
    assert document.tenant.id == OURS and not admin.Apply(pb.ApplyRequest(document=document, prune=True)).changes
