"""What the shells complete: a bash that has sourced the script, and a zsh on a terminal in which Tab is pressed."""
import os
import pty
import select
import shlex
import shutil
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


@pytest.fixture(params=[in_bash, in_zsh])
def completed(request, tmp_path):
    """completed("account", "g") -> the words offered for the last one."""
    if request.param is in_zsh and not shutil.which("zsh"):
        pytest.skip("no zsh is installed; see deploy/packages")
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
    assert completed("account", "list", "--susp") == ["--suspended"]
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


@pytest.mark.parametrize("page", ["bash", "man"])
def test_every_option_of_every_command_is_in_the_pages(page):
    made = subprocess.run([program("bursar"), *(["completion", "bash"] if page == "bash" else ["docs", "man"])], check=True, text=True,
                          capture_output=True).stdout.replace("\\-", "-")
    reference = subprocess.run([program("bursar"), "docs", "markdown"], check=True, text=True, capture_output=True).stdout
    options = {word.strip("`,") for line in reference.splitlines() if line.startswith("| `") for word in line.split()[1:3]
               if word.strip("`,").startswith("--")}
    assert len(options) > 60
    assert not [option for option in options if option not in made]
