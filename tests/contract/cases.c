/* Reads the files of cases and runs them. */
#include "cases.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/source.h"
#include "statements.h"

enum { CASES_MAX = 512 };

struct text_case {
	const char *file;
	int number; /* of the line after "case" */
	char name[160];
	const char *text, *end;
};

static struct text_case cases[CASES_MAX];
static int case_count;
static struct world world;

static char *file_read(const char *path)
{
	FILE *file = fopen(path, "rbe");
	char *text = mem_zalloc(1, 1 << 20);

	if (!file || fread(text, 1, (1 << 20) - 1, file) == 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

/* Splits a file into its cases, each of which begins with a line "case NAME". */
static void file_cut(const char *path)
{
	char *text = file_read(path);
	const char *name = strrchr(path, '/') + 1;
	int number = 1;

	for (char *p = text; *p; number++) {
		char *end = p + strcspn(p, "\n");

		if (strncmp(p, "case ", 5) == 0) {
			struct text_case *at = &cases[case_count++];

			if (case_count > 1 && !cases[case_count - 2].end)
				cases[case_count - 2].end = p;
			*at = (struct text_case){.file = name, .number = number + 1, .text = end};
			snprintf(at->name, sizeof(at->name), "%.*s", (int)(end - p - 5), p + 5);
		}
		p = *end ? end + 1 : end;
	}
	if (case_count && !cases[case_count - 1].end)
		cases[case_count - 1].end = text + strlen(text);
}

static void case_run(void **state)
{
	const struct text_case *test = *state;
	struct line line = {.file = test->file, .number = test->number};
	const char *p = test->text + 1;

	world_clear(&world);
	while (p < test->end) {
		size_t len = strcspn(p, "\n");

		if (line_read(&line, p, len))
			statement_run(&world, &line);
		p += len + 1;
		line.number++;
	}
}

/* Reads all files once per program; their names stay in `files`. */
static bool cases_read(void)
{
	static glob_t files;
	const char *pattern = source_path("tests/contract/cases/*.txt");

	if (case_count)
		return true;
	if (glob(pattern, 0, NULL, &files) != 0) {
		fprintf(stderr, "%s: no cases; run in the source folder, or set BURSAR_SOURCE_DIR\n", pattern);
		return false;
	}
	for (size_t i = 0; i < files.gl_pathc; i++)
		file_cut(files.gl_pathv[i]);
	return true;
}

int cases_run(const struct backend_ops *ops)
{
	static struct CMUnitTest tests[CASES_MAX];
	int failed;

	world.backend = ops->open();
	if (!world.backend)
		return 0;
	if (!cases_read())
		return 1;
	for (int i = 0; i < case_count; i++)
		tests[i] =
			(struct CMUnitTest){.name = cases[i].name, .test_func = case_run, .initial_state = &cases[i]};
	failed = _cmocka_run_group_tests(ops->name, tests, (size_t)case_count, NULL, NULL);
	ops->close(world.backend);
	arena_release(&world.arena);
	return failed;
}
