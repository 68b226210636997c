"""tests/lint/tables finds what is stated twice; and a sample RPC and a sample dimension need the files of their recipe, and no others."""
import functools
import json
import pathlib
import shlex
import shutil
import subprocess

import pytest

from harness.paths import ROOT, build

FOLDERS = "server", "client", "proto", "lua", "migrations"
RECIPES = ROOT / "docs" / "develop.md"


class Tree:
    """A copy of the sources; `touched`: the files that were edited or added, with what they were."""

    def __init__(self, path):
        self.path, self.touched = path, {}
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, path / folder, ignore=shutil.ignore_patterns("node_modules"))  # packages that a run has installed
        for name in "docs/store.md", "tests/lint/tables":
            (path / name).parent.mkdir(parents=True)
            shutil.copy(ROOT / name, path / name)

    def edit(self, name, *changes):
        text = (self.path / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new, 1)
        self.add(name, text)

    def add(self, name, text):
        path = self.path / name
        self.touched.setdefault(name, path.read_text(encoding="utf-8") if path.exists() else None)
        path.write_text(text, encoding="utf-8")

    def restore(self):
        for name, text in self.touched.items():
            if text is None:
                (self.path / name).unlink()
            else:
                (self.path / name).write_text(text, encoding="utf-8")
        self.touched = {}

    def lint(self):
        done = subprocess.run([self.path / "tests/lint/tables"], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def compile(self, name, like=None, include=()):
        """The object of a source of the tree, made with the flags that the build has for `like`; and its symbols: "U name", "T name"."""
        flags = read_flags()[like or name]
        at = self.path / (name.replace("/", "_") + ".o")
        flags = [flag.replace(f"-I{ROOT}/", f"-I{self.path}/") for flag in flags]
        subprocess.run([*flags, *(f"-I{folder}" for folder in include), "-I" + str(self.path / "server"), "-c", self.path / name, "-o", at],
                       check=True, cwd=self.path)
        table = subprocess.run(["nm", at], check=True, capture_output=True, text=True).stdout
        return at, {" ".join(line.split()[-2:]) for line in table.splitlines()}


@functools.lru_cache(maxsize=1)
def read_flags():
    """{source: the command that compiles it, without source and object}"""
    flags = {}
    for row in json.loads((build() / "compile_commands.json").read_text(encoding="utf-8")):
        words = shlex.split(row["command"])
        words = [word for i, word in enumerate(words) if word not in ("ccache", "-c", "-o", row["file"]) and words[i - 1] != "-o"]
        flags[str(pathlib.Path(row["file"]).relative_to(ROOT))] = [word for word in words if not word.endswith("/ccache")]
    return flags


@pytest.fixture(scope="module", name="copied")
def copied_tree(tmp_path_factory):
    return Tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def tree(copied):
    yield copied
    copied.restore()


def recipe_lacks(touched, but):
    """The files that the recipes do not name. What is `but` goes by its folder there, or is no part of it."""
    text = RECIPES.read_text(encoding="utf-8") if RECIPES.exists() else " ".join(touched)
    return [name for name in sorted(touched) if name not in text and name not in but]


FAULTS = [
    ("proto/bursar/v1/types.proto", "DIMENSION_COST = 5", "DIMENSION_MONEY = 5",
     "enum Dimension has DIMENSION_MONEY for 5, not DIMENSION_COST"),
    ("lua/lib/dimensions.lua", "INPUT, OUTPUT, COST = 1,", "OUTPUT, INPUT, COST = 1,", "lua/lib/dimensions.lua: OUTPUT is 3"),
    ("lua/lib/dimensions.lua", "local freed = { 0,", "local freed = {", "lua/lib/dimensions.lua: freed has"),
    ("lua/lib/dimensions.lua", "ask(requests, input, output, cost)", "ask(requests, output, input, cost)", "ask() does not take"),
    ("lua/lib/dimensions.lua", "last = 20", "last = 19", "lua/lib/dimensions.lua: pieces are 7 to 19"),
    ("migrations/0021_counted_limits.up.sql", "dimension BETWEEN 0 AND 19", "dimension BETWEEN 0 AND 18",
     "tier_limits.dimension lets 18 be the last"),
    ("client/cli/text/limit_spec.c", "output_tokens, cost (USD)", "cost (USD)", "limit_spec_help lacks the dimension output_tokens"),
    ("docs/store.md", "i7 requests, i7 input,", "i7 requests, i7 prompt,", None),
    ("server/api/admin/methods.def", "STREAM(Watch, watch,", "HANDLER(Watch, watch,", "no row for the RPC Watch"),
    ("server/api/admin/methods.def", "HANDLER(GetProof, get_proof, MAY_VIEW)\n", "", "no row for the RPC GetProof"),
    ("server/api/admin/methods.def", "HANDLER(GetProof,", "HANDLER(GetProofs,", "the row GetProofs is of no RPC"),
    ("server/domain/forecast.c", '#include "domain/forecast.h"',
     '#include "domain/forecast.h"\nint64_t sum_of(struct amounts *a) { return a->requests | a->input | a->output | a->cost; }',
     "server/domain/forecast.c: lists requests input output cost"),
    ("server/pg/reports/facts.c", "charged_input + charged_output > 0", "requests + charged_input + charged_output + cost_nano > 0",
     "server/pg/reports/facts.c: lists the ledger's columns"),
    ("server/domain/text/headers.c", "int headers_make(",
     'static const char *names[] = {"requests", "tokens", "input_tokens", "output_tokens"};\nint headers_make(',
     "headers.c: lists the dimensions"),
]


@pytest.mark.parametrize("name, old, new, fault", FAULTS, ids=[f"{row[0].split('/')[-1]} {i}" for i, row in enumerate(FAULTS)])
def test_the_lint_names_what_differs(tree, name, old, new, fault):
    if fault is None:  # the page says it more than once
        tree.add(name, (tree.path / name).read_text(encoding="utf-8").replace(old, new))
        fault = "docs/store.md: does not have the amounts as they are packed"
    else:
        tree.edit(name, (old, new))
    assert fault in tree.lint()


def test_the_lint_names_a_second_list_of_operations(tree):
    table = (tree.path / "server/store/admin_ops.def").read_text(encoding="utf-8")
    names = [line.split(",")[1].strip() for line in table.splitlines() if line.startswith("OPERATION(")]
    tree.add("server/pg/admin/again.c", "".join(f"void admin_{name}(void);\n" for name in names))
    tree.add("client/cli/cmd/again.c", "".join(f"void *{rpc};\n" for rpc in (tree.path / "server/api/admin/methods.def").read_text()
                                              .replace("(", ",").split(",")[1::3]))
    assert "server/pg/admin/again.c: lists the store's operations" in tree.lint()


PROGRAM = r"""
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "domain/limit/decision.h"
#include "domain/limit/policy_pack.h"
#include "domain/text/headers.h"
#include "domain/text/texts.h"

int main(void)
{
	struct limit limit = {.dimension = DIM_WEIGHTED, .kind = KIND_CALENDAR, .unit = WINDOW_DAY, .amount = 100};
	struct policy policy = {.count = 1, .limits = {limit}}, again;
	struct amounts amounts = {.requests = 1, .input = 3, .output = 4};
	struct request request = {.estimate = amounts};
	struct account_state state = {.policy = &policy};
	const struct account_state *states[] = {&state};
	struct verdict verdict;
	enum dimension dimension;
	struct buf packed = {0};
	struct arena arena = {0};
	struct header headers[HEADERS_MAX];
	struct err err;

	assert(dimension_parse("weighted_tokens", &dimension) && dimension == DIM_WEIGHTED && !dimension_is_money(dimension));
	assert(policy_prepare(&policy, &err) && strcmp(policy.limits[0].name, "weighted_tokens_per_day") == 0);
	policy_pack(&policy, &packed);
	assert(policy_unpack((const uint8_t *)packed.data, packed.len, &again) && again.limits[0].dimension == DIM_WEIGHTED);
	assert(amounts_of(&amounts, DIM_WEIGHTED) == 11);
	assert(reason_of(&policy.limits[0]) == REASON_QUOTA);
	state.limits[0].calendar.settled = 89;
	assert(decision_test(states, 1, &request, 0, &verdict));
	state.limits[0].calendar.settled = 90;
	assert(!decision_test(states, 1, &request, 0, &verdict) && verdict.failed == 1);
	struct header_limit row = {.limit = &policy.limits[0], .account_kind = ACCOUNT_USER, .figures = {.effective = 100, .remaining = 10}};
	headers_make(&row, 1, &(struct header_decision){.binding = -1}, &arena, headers);
	puts(headers[0].value);
	buf_release(&packed);
	arena_release(&arena);
	return 0;
}
"""


def test_a_sample_dimension_needs_the_files_of_its_recipe_and_no_others(tree):
    last = 'REASON_REQUEST_RATE, REASON_QUOTA, NOUN_SEARCH_UNITS, "usage")'
    tree.edit("server/domain/limit/dimensions.h", (last, last + r""" \
	ROW(WEIGHTED, 20, "weighted_tokens", "weighted-tokens", SHOWN_COUNT, amounts->input + 2 * amounts->output, \
		REASON_TOKEN_RATE, REASON_QUOTA, NOUN_TOKEN, "usage")"""))
    tree.edit("proto/bursar/v1/types.proto", ("DIMENSION_SEARCH_UNITS = 20;", "DIMENSION_WEIGHTED_TOKENS = 21; DIMENSION_SEARCH_UNITS = 20;"))
    tree.edit("lua/lib/dimensions.lua", ("local asked = { 0,", "local asked = { 0, 0,"), ("local used = { 0,", "local used = { 0, 0,"),
              ("local freed = { 0,", "local freed = { 0, 0,"), ("local net = { 0,", "local net = { 0, 0,"),
              ("asked[TOKENS] =", "asked[WEIGHTED], asked[TOKENS] = input + 2 * output,"))
    tree.edit("client/cli/text/limit_spec.c", ("output_tokens, cost (USD)", "output_tokens, weighted_tokens, cost (USD)"))
    migration = "".join(f"ALTER TABLE {table}\n\tDROP CONSTRAINT {table}_dimension_check,\n\tADD CHECK (dimension BETWEEN 0 AND 20);\n"
                        for table in ("tier_limits", "account_limits"))
    tree.add("migrations/9999_weighted_tokens.up.sql", migration)
    assert tree.lint() == ""
    tree.add("sample.c", PROGRAM)

    sources = "limit/limit.c", "limit/decision.c", "limit/figures.c", "limit/policy_pack.c", "text/headers.c", "text/texts.c"
    objects = [tree.compile(f"server/domain/{name}")[0] for name in sources]
    objects.append(tree.compile("sample.c", like="server/domain/limit/limit.c")[0])
    libraries = subprocess.run(["pkg-config", "--libs", "libcrypto", "libsodium"], check=True, capture_output=True, text=True).stdout
    subprocess.run([*read_flags()["server/domain/limit/limit.c"], *objects, build() / "libbursar_domain.a", build() / "libbursar_base.a",
                    *shlex.split(libraries), "-lm", "-lpthread", "-o", tree.path / "sample"], check=True)
    done = subprocess.run([tree.path / "sample"], capture_output=True, text=True, check=True)
    assert ';qu="weighted-tokens"' in done.stdout
    assert not recipe_lacks(tree.touched, but=("sample.c", "migrations/9999_weighted_tokens.up.sql"))


HANDLER = """
#include "api/admin/private.h"

void admin_get_sample(struct call *call, void *ctx)
{
	(void)call;
	(void)ctx;
}
"""
OPERATION = """
#include "pg/admin/admin.h"

bool admin_sample_read(struct sample_read *op, struct pg_link *link, struct err *err)
{
	(void)link;
	(void)err;
	op->answer = 42;
	return true;
}
"""


def test_a_sample_rpc_that_reads_the_store_needs_the_files_of_its_recipe_and_no_others(tree):
    tree.edit("proto/bursar/v1/admin.proto",
              ("service Admin {\n", "service Admin {\n  rpc GetSample(GetSampleRequest) returns (Sample);\n"),
              ("message PutAccountRequest {", "message GetSampleRequest {\n  string tenant = 1;\n}\n"
                                              "message Sample {\n  int64 answer = 1;\n}\nmessage PutAccountRequest {"))
    tree.edit("server/api/admin/methods.def", ("HANDLER(PutAccount,", "HANDLER(GetSample, get_sample, MAY_VIEW)\nHANDLER(PutAccount,"))
    tree.edit("server/store/admin.h",
              ("struct tenant_put {", "struct sample_read {\n\tstruct admin_job job;\n\tint answer;\n};\nstruct tenant_put {"))
    tree.edit("server/store/admin_ops.def",
              ("OPERATION(READ, account_get,", "OPERATION(READ, sample_read, sample_read)\nOPERATION(READ, account_get,"))
    tree.add("server/api/admin/sample.c", HANDLER)
    tree.add("server/pg/admin/sample.c", OPERATION)
    assert tree.lint() == ""

    made = tree.path / "made"
    made.mkdir(exist_ok=True)
    subprocess.run(["protoc-c", f"-I{tree.path}/proto", f"--c_out={made}", "bursar/v1/admin.proto"], check=True)
    table, symbols = tree.compile("server/api/methods.c", include=[made])
    assert "U admin_get_sample" in symbols and b"/bursar.v1.Admin/GetSample\0" in table.read_bytes()
    assert "T admin_get_sample" in tree.compile("server/api/admin/sample.c", like="server/api/admin/accounts.c", include=[made])[1]
    assert "U admin_sample_read" in tree.compile("server/pg/admin_store.c")[1]
    assert "T admin_sample_read" in tree.compile("server/pg/admin/sample.c", like="server/pg/admin_store.c")[1]
    assert not recipe_lacks(tree.touched, but=("server/api/admin/sample.c", "server/pg/admin/sample.c"))
