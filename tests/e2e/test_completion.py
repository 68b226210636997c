"""What the shells complete: a bash that has sourced the script, a fish that is asked, and a zsh on a terminal in which Tab is pressed."""
import os
import pty
import select
import shlex
import shutil
import socket
import subprocess

import pytest
from harness.paths import program

WAIT_S = 60

# Offers are written down, and the first completion ends the shell. What compadd only stores or filters (-A, -D, -O) is no offer.
ZSHRC = """
fpath=($ZDOTDIR/functions $fpath)
autoload -Uz compinit && compinit -u -D
bindkey '^I' complete-word
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(A|D|O)* ]]; then
		builtin compadd "$@"
		return
	fi
	local -a offers
	builtin compadd -A offers "$@"
	print -rl -- $offers >> $ZDOTDIR/offers
	builtin compadd "$@"
}
comppostfuncs=(exit)
PROMPT='ready>'
"""


def in_bash(words, env, home):
    script = ('source <(bursar completion bash); COMP_WORDS=(bursar "$@"); COMP_CWORD=$#; _bursar; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], env=env, cwd=home, text=True, capture_output=True, timeout=WAIT_S,
                          check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def read_until(terminal, mark):
    """What is shown until `mark` is, or nobody shows any more."""
    shown = b""
    while mark not in shown:
        assert select.select([terminal], [], [], WAIT_S)[0], shown
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            break
    return shown


def in_zsh(words, env, home):
    directory = home.parent / "zsh"
    (directory / "functions").mkdir(parents=True, exist_ok=True)
    script = subprocess.run(["bursar", "completion", "zsh"], env=env, check=True, capture_output=True, text=True, timeout=WAIT_S).stdout
    (directory / "functions" / "_bursar").write_text(script)
    (directory / ".zshrc").write_text(ZSHRC)
    (directory / "offers").write_text("")
    master, slave = pty.openpty()
    with subprocess.Popen(["zsh", "-d", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=home, start_new_session=True,
                          env={**env, "ZDOTDIR": str(directory), "TERM": "dumb"}) as zsh:
        os.close(slave)
        read_until(master, b"ready>")
        os.write(master, " ".join(["bursar", *map(shlex.quote, words[:-1]), words[-1]]).encode() + b"\t")
        shown = read_until(master, b"nothing ends it but the end")
    os.close(master)
    assert zsh.returncode is not None, shown
    return (directory / "offers").read_text().split()


def in_fish(words, env, home):
    line = " ".join(["bursar", *map(shlex.quote, words[:-1]), words[-1]])
    done = subprocess.run(["fish", "--no-config", "-c", 'bursar completion fish | source; complete -C "$argv[1]"', line], env=env, cwd=home,
                          text=True, capture_output=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [offer.split("\t")[0] for offer in done.stdout.splitlines()]


@pytest.fixture(params=[in_bash, in_zsh, in_fish])
def completed(request, tmp_path):
    """completed("account", "g") -> the words offered for the last one."""
    shell = request.param.__name__.removeprefix("in_")
    if not shutil.which(shell):
        pytest.skip(f"no {shell} is installed; see deploy/packages")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bursar").symlink_to(program("bursar"))
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(home), "XDG_CONFIG_HOME": ""}

    def run(*words):
        return request.param(words, env, home)

    run.bursar = lambda *words: subprocess.run([program("bursar"), *words], env=env, check=True, capture_output=True)
    run.home = home
    return run


def test_commands_are_completed_word_by_word(completed):
    assert completed("acc") == ["account"]
    assert completed("account", "g") == ["get", "grace"]
    assert set(completed("profile", "")) == {"list", "show", "put", "use", "delete"}


def test_options_and_their_choices_are_completed(completed):
    assert set(completed("account", "list", "--susp")) == {"--suspended"}
    assert completed("account", "get", "alice", "--kind", "t") == ["team", "tenant"]
    assert "--profile" in completed("status", "--pro")


def test_names_of_files_and_profiles_are_completed(completed):
    (completed.home / "ops.key").touch()
    completed.bursar("profile", "put", "work", "addr=a:1")
    completed.bursar("profile", "put", "home", "addr=b:1")
    assert completed("status", "--key-file", "op") == ["ops.key"]
    assert completed("status", "alice", "--profile", "w") == ["work"]
    assert set(completed("profile", "use", "")) == {"work", "home"}
    assert completed("profile", "list", "") != ["work", "home"]


def test_names_of_files_are_offered_where_a_file_is_meant(completed):
    for name in ("usage.csv", "prices.csv"):
        (completed.home / name).touch()
    assert completed("price", "import", "pr") == ["prices.csv"]
    assert completed("replay", "us") == ["usage.csv"]
    assert completed("bulk", "suspend", "--file", "us") == ["usage.csv"] == completed("apply", "-f", "us")
    assert "usage.csv" not in completed("bulk", "set-tier", "")


@pytest.fixture
def asked(completed, bots, bursard):
    """The same, at a server that knows something."""
    bots.tier("gold")
    bots.account("alice")
    bots.account("alina")
    bots.account("research", "TEAM")
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id="acme")))
    bots.admin.PutTier(bots.admin_pb.PutTierRequest(tier=bots.admin_pb.Tier(tenant="acme", name="goldfish")))
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=bots.admin_pb.PoolRef(name="gpu"), slots=1))
    bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(price=bots.admin_pb.Price(provider="own", model="my-model", input="1", output="2")))
    completed.bursar("profile", "put", "here", "addr=" + bursard.grpc_addr)
    completed.bursar("profile", "use", "here")
    return completed


def test_what_the_server_knows_is_offered_where_it_is_meant(asked, bursard):
    assert asked("account", "get", "al") == ["alice", "alina"] == asked("status", "al")
    assert asked("account", "set-tier", "alice", "go") == ["gold"] == asked("account", "list", "--tier", "go")
    assert asked("tier", "show", "go") == ["gold"]
    assert asked("check", "alice", "--model", "my") == ["my-model"] == asked("check", "-m", "my")
    assert asked("price", "show", "my") == ["my-model"]
    assert asked("pool", "watch", "gp") == ["gpu"] == asked("top", "--pool", "gp")
    assert asked("account", "put", "alice", "--team", "res") == ["research"]
    assert asked("account", "get", "--kind", "team", "res") == ["research"]
    assert asked("account", "get", "res") == []
    assert asked("status", "--tenant", "ac") == ["acme"]
    assert asked("tier", "show", "--tenant", "acme", "go") == ["goldfish"]
    asked.bursar("profile", "put", "nowhere", "addr=127.0.0.1:1")
    assert asked("status", "--profile", "nowhere", "al") == []
    assert asked("status", "--profile", "nowhere", "--addr", bursard.grpc_addr, "al") == ["alice", "alina"]


def test_values_of_fixed_lists_are_offered(completed):
    assert completed("key", "create", "op") == ["operator"]
    assert set(completed("completion", "")) == {"bash", "zsh", "fish"}
    assert completed("bulk", "su") == ["suspend"]


def test_a_server_that_is_away_or_says_nothing_has_nothing_to_offer(completed):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("127.0.0.1:1", f"127.0.0.1:{silent.getsockname()[1]}", "no address"):
            completed.bursar("profile", "put", "away", "addr=" + address)
            assert completed("status", "--profile", "away", "al") == []
            assert completed("tier", "show", "--profile", "away", "") == []


@pytest.mark.parametrize("typed, whole", [("telegram:4", "telegram:42 "), ("o", "o\\ brien "), ("--kind=tea", None)])
def test_tab_in_bash_completes_ids_as_they_have_to_be_typed(bots, bursard, tmp_path, typed, whole):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bursar").symlink_to(program("bursar"))
    for user in ("telegram:42", "o brien"):
        bots.account(user)
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "BURSAR_ADDR": bursard.grpc_addr, "HOME": str(tmp_path), "TERM": "dumb",
           "PS1": "ready>", "INPUTRC": "/dev/null", "XDG_CONFIG_HOME": ""}
    master, slave = pty.openpty()
    line = f"bursar account get {typed}" if whole else "bursar account get alice --kind=tea"
    with subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, start_new_session=True,
                          env=env) as bash:
        os.close(slave)
        read_until(master, b"ready>")
        os.write(master, b"source <(bursar completion bash); echo so''urced\n")
        read_until(master, b"sourced\r\n")
        os.write(master, line.encode() + b"\t")
        seen = read_until(master, (whole or "alice --kind=team ").encode())
        assert (f"get {whole}" if whole else "--kind=team ").encode() in seen
        os.write(master, b"\x15exit\n")
        while read_until(master, b"nothing ends it but the end") and bash.poll() is None:
            pass
    os.close(master)


@pytest.mark.parametrize("page", ["bash", "fish", "man"])
def test_every_option_of_every_command_is_in_the_pages(page):
    made = subprocess.run([program("bursar"), *(["docs", "man"] if page == "man" else ["completion", page])], check=True, text=True,
                          capture_output=True).stdout.replace("\\-", "-")
    reference = subprocess.run([program("bursar"), "docs", "markdown"], check=True, text=True, capture_output=True).stdout
    options = {word.strip("`,") for line in reference.splitlines() if line.startswith("| `") for word in line.split()[1:3]
               if word.strip("`,").startswith("--")}
    assert len(options) > 60
    assert not [option for option in options if (option if page != "fish" else "-l " + option[2:]) not in made]
