"""What bash completes, in a bash that has sourced the script."""
import os
import subprocess

import pytest
from harness.paths import program


@pytest.fixture
def completed(tmp_path):
    """completed("account", "g") -> the words offered for the last one."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bursar").symlink_to(program("bursar"))
    (tmp_path / "home").mkdir()
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": ""}

    def run(*words):
        script = ('source <(bursar completion bash); COMP_WORDS=(bursar "$@"); COMP_CWORD=$#; _bursar; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", *words], env=env, cwd=tmp_path / "home", text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout.split()

    run.bursar = lambda *words: subprocess.run([program("bursar"), *words], env=env, check=True, capture_output=True)
    run.home = tmp_path / "home"
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
