"""What can be checked of compose file, image and unit without an engine to run them."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from harness import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
BURSARDS = ("bursard-1", "bursard-2", "bursard-3")


def packages(name):
    script = f'. "{ROOT}/deploy/packages" && echo $PACKAGES_{name}'
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout.split()


def options():
    """The names of bursard's options, as environment variables."""
    text = (ROOT / "server" / "base" / "conf" / "conf.def").read_text(encoding="utf-8")
    return {"BURSAR_" + name.upper() for name in re.findall(r"^CONF_(?!GROUP)\w+\((\w+),", text, re.M)}


def test_compose_has_the_parts_and_names_nothing_that_it_does_not_define():
    services = COMPOSE["services"]
    assert set(services) == {"redis", "postgres", "migrate", *BURSARDS}
    for name, service in services.items():
        assert "image" in service, name
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"], name


def test_compose_waits_for_health_and_for_the_migration():
    for name in BURSARDS:
        needs = COMPOSE["services"][name]["depends_on"]
        assert needs["redis"]["condition"] == "service_healthy"
        assert needs["migrate"]["condition"] == "service_completed_successfully"
    assert COMPOSE["services"]["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert COMPOSE["services"]["migrate"]["command"] == ["migrate", "up"]
    assert COMPOSE["services"]["migrate"]["restart"] == "no"
    for name in ("redis", "postgres", *BURSARDS):
        assert COMPOSE["services"][name]["healthcheck"]["test"][0] == "CMD", name


def test_compose_keeps_what_redis_and_postgres_know():
    command = COMPOSE["services"]["redis"]["command"].split()
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert COMPOSE["services"]["redis"]["volumes"] == ["redis:/data"]
    assert COMPOSE["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql/data"]


def test_compose_publishes_on_this_machine_only_and_no_port_twice():
    seen = set()
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            host, published, _ = port.split(":")
            assert host == "127.0.0.1", name
            assert published not in seen, port
            seen.add(published)
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "ports" not in COMPOSE["services"]["redis"] and "ports" not in COMPOSE["services"]["postgres"]


def test_compose_sets_only_options_that_bursard_has():
    for name in ("migrate", *BURSARDS):
        assert set(COMPOSE["services"][name]["environment"]) <= options(), name
    postgres = COMPOSE["services"]["postgres"]["environment"]
    conninfo = dict(part.split("=", 1) for part in COMPOSE["services"]["bursard-1"]["environment"]["BURSAR_POSTGRES"].split())
    assert conninfo == {"host": "postgres", "dbname": postgres["POSTGRES_DB"], "user": postgres["POSTGRES_USER"],
                        "password": postgres["POSTGRES_PASSWORD"]}


def test_the_image_builds_by_the_scripts_of_a_machine_and_runs_as_nobody_special():
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]
    assert len(stages) == 2 and all(stage.startswith("debian:bookworm-slim") for stage in stages)
    assert "deploy/install-packages build" in stages[0] and "install-packages image" in stages[1]
    assert "apt-get" not in DOCKERFILE
    assert "cmake --preset release" in stages[0]
    local = (ROOT / "deploy" / "local").read_text(encoding="utf-8")
    assert "install-packages\" build run" in local and "cmake --preset release" in local
    assert re.search(r"^USER bursar$", stages[1], re.M)
    for source in re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.M):
        for path in source.split()[:-1]:
            assert (ROOT / path).exists(), path


def owner_of(path):
    """The package of a file; Debian 12 lists what is in /usr/lib under /lib as well as the other way round."""
    for name in (str(path), str(path).replace("/usr/lib/", "/lib/", 1)):
        owner = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, check=False).stdout
        if owner:
            return owner.split(":")[0]
    return None


def debian_12():
    return 'VERSION_ID="12"' in pathlib.Path("/etc/os-release").read_text(encoding="utf-8")


def test_the_image_has_every_library_that_the_programs_load():
    if not debian_12():
        pytest.skip("the image's packages have the names of Debian 12")
    # What the named packages bring with them, and what every Debian has.
    tree = subprocess.run(["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                           "--no-breaks", "--no-replaces", "--no-enhances", *packages("image")],
                          check=True, capture_output=True, text=True).stdout
    brought = {line for line in tree.splitlines() if not line.startswith((" ", "<"))} | {"libc6", "libgcc-s1"}
    for name in ("bursard", "bursar"):
        loaded = subprocess.run(["ldd", program(name)], check=True, capture_output=True, text=True).stdout
        for library in re.findall(r"=> (/\S+)", loaded):
            path = pathlib.Path(library).resolve()
            package = owner_of(path)
            assert package in brought, f"{name} loads {path} of {package or 'no package'}, which the image lacks"


def test_every_package_of_the_lists_is_known_to_apt():
    known = set(subprocess.run(["apt-cache", "pkgnames"], check=True, capture_output=True, text=True).stdout.split())
    for name in ("build", "run", "test", *(["image"] if debian_12() else [])):
        for entry in packages(name):
            assert known & set(entry.split("|")), entry


def install(folder, *words):
    build = pathlib.Path(program("bursar")).parents[1]
    subprocess.run(["cmake", "--install", str(build), "--prefix", str(folder), *words], check=True, capture_output=True)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_install_puts_programs_pages_library_and_the_unit_in_place(tmp_path):
    installed = install(tmp_path)
    for path in ("bin/bursard", "bin/bursar", "share/man/man1/bursar.1", "share/bash-completion/completions/bursar",
                 "lib/systemd/system/bursard.service", "include/bursar.h", "include/bursar/methods.h", "include/bursar/renewer.h",
                 "include/bursar/spool.h", "include/bursar/v1/limiter.pb-c.h",
                 "lib/libbursar.a", "lib/libbursar.so", "lib/pkgconfig/bursar.pc"):
        assert path in installed and (tmp_path / path).stat().st_size > 0, path
    unit = (tmp_path / "lib/systemd/system/bursard.service").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=/\S+/bin/bursard$", unit, re.M)
    assert re.search(r"^DynamicUser=yes$", unit, re.M)


def test_the_image_has_the_programs_without_the_library(tmp_path):
    """The programs hold the client themselves; headers and libraries are for those who compile."""
    assert "--component programs" in DOCKERFILE
    assert not [path for path in install(tmp_path / "programs", "--component", "programs") if path.startswith(("include", "lib/libbursar", "lib/pkg"))]
    assert install(tmp_path / "programs") == install(tmp_path / "all")


def test_the_workflow_does_what_a_developer_does():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert job["container"] == "debian:12"
    assert {"run": ".ci/run"} in job["steps"]
    container = (ROOT / ".devcontainer" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM debian:bookworm", container, re.M) and "install-packages build run test" in container


def test_the_hooks_before_a_commit_are_the_lints_and_download_nothing():
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repo["repo"] == "local"
    for hook in repo["hooks"]:
        assert hook["language"] == "script" and os.access(ROOT / hook["entry"], os.X_OK), hook["entry"]
