"""Channels from the API to their destinations: a test-send, what it leaves in the list of deliveries, and what is never answered.

tests/e2e/test_deliver.py has what carries the messages, without bursard.
"""
import contextlib
import json
import socket

import grpc
import pytest

from certificates import Authority
from destinations import aiosmtpd, hook, mail  # noqa: F401
from harness import until as wait_until
from harness.protos import admin_pb2, admin_pb2_grpc, alerts_pb2

HERE = {"alert_allow": "127.0.0.0/8"}
SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
STATE = alerts_pb2.AlertDeliveryState.Value
KIND = alerts_pb2.AlertChannelKind.Value


@pytest.fixture
def serve(start_bursard):
    """serve(**options): the stub of Admin of a bursard that may connect to this machine."""
    with contextlib.ExitStack() as open_channels:
        yield lambda **options: admin_pb2_grpc.AdminStub(open_channels.enter_context(start_bursard(**{**HERE, **options}).channel()))


def put(admin, kind, name="ops", **members):
    return admin.PutAlertChannel(alerts_pb2.PutAlertChannelRequest(channel=alerts_pb2.AlertChannel(
        name=name, kind=KIND(f"ALERT_CHANNEL_KIND_{kind}"), **members)))


def deliveries(admin, name="ops"):
    return admin.ListAlertDeliveries(alerts_pb2.ListAlertDeliveriesRequest(channel=name)).deliveries


def send_test(admin, until, state, name="ops"):
    """The delivery of a test-send, once it is in that state."""
    sent = admin.TestAlertChannel(alerts_pb2.TestAlertChannelRequest(name=name)).delivery
    until(lambda: [one for one in deliveries(admin, name) if one.id == sent.id and one.state == STATE(f"ALERT_DELIVERY_STATE_{state}")])
    return admin.GetAlertDelivery(alerts_pb2.GetAlertDeliveryRequest(id=sent.id))


def refused(call, field):
    with pytest.raises(grpc.RpcError) as raised:
        call()
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT and raised.value.details().startswith(field + ":"), raised.value.details()


def test_a_test_of_a_webhook_is_signed_and_listed(serve, until, hook):  # noqa: F811
    admin = serve()
    put(admin, "WEBHOOK", target=hook.url, signing_secrets=SECRETS, headers=["X-Key: k3y"])
    delivery = send_test(admin, until, "DELIVERED")
    _, headers, body = hook.requests[0]
    assert headers["webhook-id"] == delivery.message_id and headers["X-Key"] == "k3y" and len(headers["webhook-signature"].split()) == 2
    assert json.loads(body)["type"] == "bursar.alert" and json.loads(body)["data"]["kind"] == "ALERT_KIND_TEST"
    assert delivery.test and delivery.status == 204 and delivery.attempts == 1 and delivery.log[0].status == 204 and not delivery.error


def test_made_secrets_are_answered_once_and_secrets_never(serve, hook):  # noqa: F811
    admin = serve()
    made = put(admin, "WEBHOOK", target=hook.url)
    assert len(made.signing_secrets) == 1 and made.signing_secrets[0].startswith("whsec_")
    again = put(admin, "WEBHOOK", target=hook.url, title="{who}")
    assert not again.signing_secrets
    put(admin, "TELEGRAM", name="chat", target="-100", token="12:s3cret", url=hook.url.removesuffix("/hook"))
    listed = admin.ListAlertChannels(alerts_pb2.ListAlertChannelsRequest())
    assert {one.name: set(one.secrets_set) for one in listed.channels} == {"ops": {"signing_secrets"}, "chat": {"token", "url"}}
    assert "s3cret" not in str(listed) and made.signing_secrets[0] not in str(listed)
    audit = admin.ListAudit(admin_pb2.ListAuditRequest())
    assert "s3cret" not in str(audit) and made.signing_secrets[0] not in str(audit)


def test_an_attempt_has_the_answer_and_the_next_one_the_same_id(serve, until, hook):  # noqa: F811
    admin = serve()
    hook.answer(503, b"down for a moment", Retry_After="1")
    hook.answer(204)
    put(admin, "WEBHOOK", target=hook.url, signing_secrets=SECRETS)
    delivery = send_test(admin, until, "DELIVERED")
    assert [(one.status, one.error) for one in delivery.log] == [(503, "HTTP 503: down for a moment"), (204, "")]
    assert {headers["webhook-id"] for _, headers, _ in hook.requests} == {delivery.message_id}


def test_gone_is_dead_and_can_be_sent_again(serve, until, hook):  # noqa: F811
    admin = serve()
    hook.answer(410, b"unsubscribed")
    hook.answer(204)
    put(admin, "WEBHOOK", target=hook.url, signing_secrets=SECRETS)
    dead = send_test(admin, until, "DEAD")
    assert dead.status == 410 and "unsubscribed" in dead.error
    admin.ResendAlertDelivery(alerts_pb2.ResendAlertDeliveryRequest(id=dead.id))
    until(lambda: deliveries(admin)[0].state == STATE("ALERT_DELIVERY_STATE_DELIVERED"))
    assert [headers["webhook-id"] for _, headers, _ in hook.requests] == [dead.message_id] * 2


def test_a_private_address_is_refused_when_it_is_written_and_a_name_when_it_is_sent(serve, until):
    admin = serve(alert_allow="10.0.0.0/8")
    for url in ("https://127.0.0.1/", "https://[::ffff:169.254.169.254]/", "https://2130706433/", "http://1.1.1.1/"):
        refused(lambda url=url: put(admin, "WEBHOOK", target=url), "channel.target")
        refused(lambda url=url: put(admin, "SLACK", url=url), "channel.url")
    put(admin, "WEBHOOK", target="https://localhost:9/", signing_secrets=SECRETS)
    assert "loopback" in send_test(admin, until, "DEAD").error


def test_a_destination_that_is_not_allowed_any_more_can_be_kept_but_not_chosen(serve):
    put(serve(), "WEBHOOK", target="http://127.0.0.1:9/", signing_secrets=SECRETS)
    admin = serve(alert_allow="")
    assert put(admin, "WEBHOOK", target="http://127.0.0.1:9/", disabled=True).channel.disabled
    refused(lambda: put(admin, "WEBHOOK", target="http://127.0.0.1:10/"), "channel.target")
    document = admin.Export(admin_pb2.ExportRequest())
    document.alerts.channels[0].least = alerts_pb2.ALERT_SEVERITY_WARNING
    admin.Apply(admin_pb2.ApplyRequest(document=document))
    document.alerts.channels[0].target = "https://127.0.0.1:9/"
    refused(lambda: admin.Apply(admin_pb2.ApplyRequest(document=document)), "document.alerts.channels[0].target")


def test_fields_are_checked(serve):
    admin = serve()
    refused(lambda: put(admin, "WEBHOOK", target="ftp://x/"), "channel.target")
    refused(lambda: put(admin, "EMAIL", target="ops"), "channel.target")
    refused(lambda: put(admin, "WEBHOOK", target="https://1.1.1.1/", body="{acount}"), "channel.body")
    refused(lambda: put(admin, "WEBHOOK", target="https://1.1.1.1/", headers=["Host: x"]), "channel.headers[0]")


def test_chats_get_their_test(serve, until, hook):  # noqa: F811
    admin = serve()
    base = hook.url.removesuffix("/hook")
    put(admin, "SLACK", name="slack", url=base + "/services/x", language="de")
    put(admin, "DISCORD", name="discord", url=base + "/api/webhooks/x")
    put(admin, "TEAMS", name="teams", url=base + "/workflows/x")
    put(admin, "TELEGRAM", name="telegram", url=base, token="12:ab", target="-100")
    for name in ("slack", "discord", "teams", "telegram"):
        send_test(admin, until, "DELIVERED", name)
    bodies = {path: json.loads(body) for path, _, body in hook.requests}
    assert "Dies ist ein Test" in bodies["/services/x"]["text"] and "This is a test" in bodies["/api/webhooks/x"]["content"]
    assert bodies["/workflows/x"]["type"] == "message" and bodies["/bot12:ab/sendMessage"]["chat_id"] == "-100"


def test_a_mail_goes_out_with_starttls(serve, until, mail, tmp_path):  # noqa: F811
    authority = Authority(tmp_path, "authority")
    cert, key = authority.issue("localhost", alternative="IP:127.0.0.1")
    server = mail(starttls=True, cert=cert, key=key)
    admin = serve(smtp=f"smtp://127.0.0.1:{server.port}", smtp_from="Bursar <bursar@example.org>", smtp_ca=authority.cert)
    put(admin, "EMAIL", target="ops@example.org")
    delivery = send_test(admin, until, "DELIVERED")
    got = server.letter()
    assert got["tls"] and got["to"] == ["ops@example.org"] and f"Message-ID: <{delivery.message_id}@example.org>" in got["data"]


def test_a_command_runs(serve, until, tmp_path):
    program = tmp_path / "page"
    program.write_text(f"#!/bin/sh\ncat >{tmp_path}/alert\necho 'no pager' >&2\ntest -e {tmp_path}/works\n")
    program.chmod(0o755)
    admin = serve(alert_commands=f"page={program}")
    put(admin, "COMMAND", target="page")
    sent = admin.TestAlertChannel(alerts_pb2.TestAlertChannelRequest(name="ops")).delivery
    until(lambda: deliveries(admin)[0].attempts)
    assert deliveries(admin)[0].error == "exit code 1: no pager"
    (tmp_path / "works").touch()
    until(lambda: deliveries(admin)[0].state == STATE("ALERT_DELIVERY_STATE_DELIVERED"))
    assert json.loads((tmp_path / "alert").read_text())["data"]["kind"] == "ALERT_KIND_TEST" and deliveries(admin)[0].id == sent.id


def test_a_stop_does_not_wait_for_a_destination_that_never_answers(start_bursard, stack, until):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = start_bursard(**HERE, alert_timeout_ms=60000)
        with server.channel() as channel:
            admin = admin_pb2_grpc.AdminStub(channel)
            put(admin, "WEBHOOK", target=f"http://127.0.0.1:{listener.getsockname()[1]}/", signing_secrets=SECRETS)
            admin.TestAlertChannel(alerts_pb2.TestAlertChannelRequest(name="ops"))
            accepted, _ = listener.accept()
        server.stop()  # which asserts that it has ended well, with all its work
        accepted.close()
    with stack.sql() as sql:
        sql.execute("SELECT state, attempts, error, next_at <= now(), failures FROM alert_deliveries d JOIN alert_channels c ON c.name = d.channel "
                    "WHERE claimed_until = '-infinity'")
        assert sql.fetchall() == [(STATE("ALERT_DELIVERY_STATE_WAITING"), 1, "this process is stopping", True, 0)], "it is no fault of the channel"


def dead_channels(stack, tenant, count, port, prompt):
    """Channels of a tenant whose server takes requests and never answers, each with two messages that are due."""
    with stack.sql() as sql:
        sql.execute("INSERT INTO alert_channels (tenant, name, kind, target, prompt, secret) SELECT %s, 'dead' || n, 1, %s, %s, %s FROM generate_series(1, %s) n",
                    (tenant, f"http://127.0.0.1:{port}/", prompt, json.dumps({"secrets": SECRETS}), count))
        sql.execute("WITH e AS (INSERT INTO alert_events (at, tenant, rule, kind, severity, account_kind, account) VALUES (now(), %s, '', 13, 1, 0, '') RETURNING id) "
                    "INSERT INTO alert_deliveries (message_id, tenant, channel, events, test, created_at, give_up_at, next_at) SELECT 'msg_' || gen_random_uuid(), %s, "
                    "'dead' || n %% %s + 1, ARRAY[e.id], true, now(), now() + interval '1 day', now() FROM e, generate_series(1, 2 * %s) n", (tenant, tenant, count, count))


def test_destinations_that_never_answer_leave_lanes_to_others(serve, stack, hook):  # noqa: F811
    def soon(condition):
        return wait_until(condition, "the condition of the test", timeout=90)

    def being_sent(tenants):
        with stack.sql() as sql:
            sql.execute("SELECT count(*)::int FROM alert_deliveries WHERE claimed_until > now() AND tenant = ANY (%s)", (tenants,))
            return sql.fetchone()[0]

    # Whoever holds a lane holds it until the end of the test, or nearly so.
    admin = serve(alert_timeout_ms=60000)
    put(admin, "WEBHOOK", target=hook.url, signing_secrets=SECRETS)
    send_test(admin, soon, "DELIVERED")
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port = listener.getsockname()[1]
        for tenant in ("red", "green", "blue"):
            dead_channels(stack, tenant, 40, port, prompt=False)
        soon(lambda: being_sent(["red", "green", "blue"]) == 4)
        dead_channels(stack, "loud", 20, port, prompt=True)
        soon(lambda: being_sent(["loud"]) == 8)
        send_test(admin, soon, "DELIVERED")
        assert being_sent(["red", "green", "blue"]) <= 4 and being_sent(["loud"]) <= 8
