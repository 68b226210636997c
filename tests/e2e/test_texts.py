"""Tenants' own texts: what an admin sets is what a denied user reads."""
import json

import grpc
import pytest
import yaml

from bots import fails_with, unique

Code = grpc.StatusCode


def put(bots, code, language, text, **fields):
    pb = bots.admin_pb
    return bots.admin.PutText(pb.PutTextRequest(text=pb.Text(tenant=bots.tenant, code=code, language=language, text=text), **fields), timeout=20)


def delete(bots, code, language, **fields):
    return bots.admin.DeleteText(bots.admin_pb.DeleteTextRequest(tenant=bots.tenant, code=code, language=language, **fields), timeout=20)


def listed(bots, **fields):
    fields.setdefault("tenant", bots.tenant)
    return list(bots.admin.ListTexts(bots.admin_pb.ListTextsRequest(**fields), timeout=20).texts)


@pytest.fixture
def fleet(bots):
    bots.tenant = unique("fleet")
    return bots


def spent(bots):
    """A user whose one request of the day is used."""
    user = bots.user_with(bots.calendar("day", "requests", 1))
    bots.record(bots.check(user))
    return user


def test_a_denial_says_what_the_tenant_has_set_until_it_is_deleted(fleet):
    user, builtin = spent(fleet), "You have reached your limit of 1 request per day."
    assert fleet.check(user).message.startswith(builtin)
    put(fleet, "quota", "en", "That was it: {amount} {per}, {{really}}.", reason="plain words")
    assert fleet.check(user).message.startswith("That was it: 1 request per day, {really}. Try again in ")
    put(fleet, "quota", "en", "Enough for today.")
    put(fleet, "wait", "en", "{wait}!")
    said = fleet.check(user)
    assert said.message.startswith("Enough for today. ") and said.message.endswith("!")
    explained = fleet.limiter.Explain(fleet.limiter_pb.ExplainRequest(check=fleet.request(user)), timeout=10)
    assert explained.response.message.startswith("Enough for today. ")
    answer = delete(fleet, "quota", "en", reason="they did not like it")
    assert not answer.HasField("text")  # 'reached' is built in; 'quota' is not
    assert fleet.check(user).message.startswith(builtin)
    assert delete(fleet, "wait", "EN").text.text == "Try again in {wait}."
    fails_with(Code.NOT_FOUND, delete, fleet, "wait", "en")
    log = fleet.admin.ListAudit(fleet.admin_pb.ListAuditRequest(tenant=fleet.tenant, action="text."), timeout=20).entries
    assert [(entry.action, entry.target, entry.reason) for entry in reversed(log)] == [
        ("text.put", "quota/en", "plain words"), ("text.put", "quota/en", ""), ("text.put", "wait/en", ""),
        ("text.delete", "quota/en", "they did not like it"), ("text.delete", "wait/en", "")]
    assert json.loads(log[3].before)["text"].startswith("That was it") and json.loads(log[3].details)["text"] == "Enough for today."


def test_the_nearest_language_is_spoken(fleet):
    user = spent(fleet)
    for code, language, text in (("reached", "de", "Schluss."), ("reached", "de_at", "Aus."), ("wait", "fr", "Dans {wait}."), ("reached", "fr", "{amount}.")):
        put(fleet, code, language, text)
    assert [(t.code, t.language) for t in listed(fleet)] == [("reached", "de"), ("reached", "de-AT"), ("reached", "fr"), ("wait", "fr")]

    def said(language):
        return fleet.check(user, language=language).message
    assert said("de").startswith("Schluss. Versuche es") and said("de-CH").startswith("Schluss.") and said("de-AT").startswith("Aus.")
    assert said("fr-CA").startswith("1. Dans ") and (" h " in said("fr") or " min " in said("fr")) and said("es").startswith("Has alcanzado")
    assert said("nl") == said("") == said("en") and said("en").startswith("You have reached")
    fleet.admin.PutTenant(fleet.admin_pb.PutTenantRequest(tenant=fleet.admin_pb.Tenant(id=fleet.tenant, language="de")), timeout=20)
    assert said("nl") == said("") and said("").startswith("Schluss.") and said("en").startswith("You have reached")


def test_other_tenants_and_other_bursards(two_fleets, until):
    """A text is the tenant's alone, and every bursard uses it soon, without a restart."""
    here, there = two_fleets
    here.tenant = there.tenant = unique("fleet")
    user = spent(here)
    put(here, "quota", "en", "Ours.")
    until(lambda: there.check(user).message.startswith("Ours. "))
    delete(here, "quota", "en")
    until(lambda: there.check(user).message.startswith("You have reached"))
    put(here, "quota", "en", "Ours.")
    here.tenant = unique("fleet")
    assert here.check(spent(here)).message.startswith("You have reached") and not listed(here)


def test_warnings_and_closed_accounts_have_texts_too(fleet):
    user = fleet.user_with(fleet.calendar("day", "requests", 2, warn_percent=50))
    put(fleet, "warning", "en", "{used} of {most} {per}.")
    put(fleet, "suspended", "en", "Closed, see https://example.org/.")
    assert fleet.check(user).message == "1 request of 2 requests per day."
    fleet.admin.Suspend(fleet.admin_pb.SuspendRequest(ref=fleet.key(user), reason="test"), timeout=10)
    assert fleet.check(user).message == "Closed, see https://example.org/."


@pytest.mark.parametrize(("code", "language", "text", "error"), [
    ("qouta", "en", "x", "text.code: there is no text qouta; did you mean quota?"),
    ("", "en", "x", "text.code: must be given, such as quota or wait"),
    ("quota", "english", "x", "text.language: must be a language tag of at most 15 characters, such as de or pt-BR"),
    ("quota", "en", "", "text.text: is empty; 'delete' brings the built-in text back"),
    ("quota", "en", "{ammount}", "text.text: quota has no {ammount}; did you mean {amount}?"),
    ("quota", "en", "{wait}", "text.text: quota has no {wait}; it has {who}"),
    ("quota", "en", "a { b", "text.text: has a { at byte 2 without the other one: write {{ for a brace"),
    ("quota", "en", "a\tb", "text.text: has the control character U+0009 at byte 1"),
    ("quota", "nl", "{per}", "text.text: {per} has no words in nl (only in en, de, ru and es): write them out"),
    ("quota", "en", "x" * 601, "text.text: must have 0 to 600 bytes"),
    ("quota", "en", "{amount}" * 10, "text.text: may become a sentence of 640 bytes, and at most 600 are allowed: shorten it"),
])
def test_a_wrong_template_is_refused_by_its_field(fleet, code, language, text, error):
    assert fails_with(Code.INVALID_ARGUMENT, put, fleet, code, language, text).details().startswith(error)
    assert not listed(fleet)


def test_a_list_shows_codes_and_placeholders(fleet):
    put(fleet, "wait", "de", "In {wait}.")
    every = {(t.code, t.language): t for t in listed(fleet, shipped=True)}
    assert every["wait", "de"].text == "In {wait}." and not every["wait", "de"].shipped
    assert every["wait", "en"].shipped and "wait" in every["wait", "en"].placeholders and not every["suspended", "ru"].placeholders
    assert {t.language for t in listed(fleet, code="wait", shipped=True)} == {"de", "en", "es", "ru"}
    assert [t.code for t in listed(fleet, language="DE")] == ["wait"]
    fails_with(Code.INVALID_ARGUMENT, lambda: listed(fleet, code="wiat"))


def test_a_tenant_has_room_for_400(fleet, stack):
    tags = [f"x{a}{b}" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst"]
    document = fleet.admin_pb.TenantDocument(texts=[fleet.admin_pb.Text(code="wait", language=tag, text="x") for tag in tags])

    def apply(**fields):
        return fleet.admin.Apply(fleet.admin_pb.ApplyRequest(tenant=fleet.tenant, document=document, **fields), timeout=60)
    assert len(apply().changes) == 400
    put(fleet, "wait", tags[7], "y")
    assert "has 400 texts" in fails_with(Code.FAILED_PRECONDITION, put, fleet, "wait", "en", "x").details()
    assert len(listed(fleet)) == 400 and len(apply().changes) == 1
    del document.texts[1:]
    assert len(apply(prune=True).changes) == 399 and len(listed(fleet)) == 1


def test_what_was_written_past_the_service_is_left_out(fleet, stack, until):
    user = spent(fleet)
    put(fleet, "wait", "en", "{wait}.")
    with stack.sql() as sql:
        for code, text in (("quota", "{nobody}"), ("nothing", "x"), ("reached", "Good {amount}.")):
            sql.execute("INSERT INTO texts (tenant, code, language, text) VALUES (%s, %s, 'en', %s)", (fleet.tenant, code, text))
    until(lambda: fleet.check(user).message.startswith("Good 1 request. "))
    assert [t.code for t in listed(fleet)] == ["reached", "wait"]


def test_the_longest_texts_leave_an_answer_small(fleet):
    for code in ("reached", "wait", "ends", "shared", "upgrade", "unlimited", "held", "too_large"):
        put(fleet, code, "en", "x" * 600)
    denied = fleet.check(spent(fleet))
    assert denied.message == "x" * 600 + " " + "x" * 600
    assert len(denied.message) + sum(len(f"{h.name}: {h.value}\r\n") for h in denied.headers) < 8192


def test_documents_carry_texts(fleet, bursar, tmp_path):
    put(fleet, "wait", "de", "In {wait}.")
    put(fleet, "wait", "en", "In {wait}.")
    put(fleet, "quota", "de", "Schluss: \"{amount}\".")
    path = tmp_path / "fleet.yaml"
    path.write_text(bursar("export", "--tenant", fleet.tenant).stdout)
    document = yaml.safe_load(path.read_text())
    assert document["texts"] == {"de": {"quota": "Schluss: \"{amount}\".", "wait": "In {wait}."}, "en": {"wait": "In {wait}."}}
    assert "nothing to change" in bursar("apply", "-f", path, "--prune", "--yes").stdout
    document["texts"] = {"de": {"wait": "Gleich: {wait}."}, "fr": {"wait": "Dans {wait}."}}
    path.write_text(yaml.safe_dump(document))
    said = bursar("apply", "-f", path, "--prune", "--yes", "--reason", "tidy").stdout
    assert "- text quota in de\n" in said and "+ text wait in fr\n" in said and "- text wait in en\n" in said
    assert "~ text wait in de\n    text: In {wait}. -> Gleich: {wait}.\n" in said and "1 added, 1 changed, 2 removed" in said
    assert [(t.code, t.language, t.text) for t in listed(fleet)] == [("wait", "de", "Gleich: {wait}."), ("wait", "fr", "Dans {wait}.")]
    document["texts"]["fr"]["wiat"] = "x"
    path.write_text(yaml.safe_dump(document))
    failed = bursar("apply", "-f", path, "--yes")
    assert failed.returncode != 0 and "texts.fr.wiat: " in failed.stderr and "did you mean wait?" in failed.stderr and "fleet.yaml:" in failed.stderr


def test_the_command_line_sets_lists_and_deletes(fleet, bursar):
    there = ("--tenant", fleet.tenant)
    done = bursar("tenant", "text", "put", "wait", "en", "Back in {wait}.", *there)
    assert done.returncode == 0 and "text wait in en\n" in done.stdout and "{wait}" in done.stdout, done
    assert json.loads(bursar("tenant", "text", "list", "wait", "--json", *there).stdout)["texts"][0]["text"] == "Back in {wait}."
    assert bursar("tenant", "text", "list", "--built-in", *there).stdout.count("built in") > 50
    failed = bursar("tenant", "text", "put", "wait", "en", "{wiat}", *there)
    assert failed.returncode == 4 and "did you mean {wait}?" in failed.stderr
    assert "Try again in {wait}." in bursar("tenant", "text", "delete", "wait", "en", *there).stdout
    failed = bursar("tenant", "text", "delete", "wait", "en", *there)
    assert failed.returncode == 4 and "'bursar tenant text list'" in failed.stderr
