/* The file of profiles: it is read and changed line by line, and errors name the line. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/core/profile_file.h"
#include "lib/test.h"
#include "refusals.h"

static const char usual[] = "# mine\n"
			    "default = work\n"
			    "\n"
			    "[work]\n"
			    "addr = bursar.example:7420\n"
			    "; the key of the rota\n"
			    "key-file=~/work.key\n"
			    "\n"
			    "[ home ]\r\n"
			    "\tjson = yes  \n";

static void parse(const char *text, struct profiles *out)
{
	struct err err;

	if (!profiles_parse(text, strlen(text), out, &err))
		fail_msg("%s", err.text);
}

TEST(a_file_has_a_default_and_profiles)
{
	struct profiles profiles;
	const struct profile *work, *home;

	parse(usual, &profiles);
	work = profile_find(&profiles, "work");
	home = profile_find(&profiles, "home");
	assert_string_equal(profiles.default_name, "work");
	assert_string_equal(work->value[SETTING_ADDR], "bursar.example:7420");
	assert_string_equal(work->value[SETTING_KEY_FILE], "~/work.key");
	assert_null(work->value[SETTING_TENANT]);
	assert_string_equal(home->value[SETTING_JSON], "yes");
	assert_null(profile_find(&profiles, "elsewhere"));
	profiles_release(&profiles);
}

static bool file_accepts(const char *text, struct err *err)
{
	struct profiles profiles;
	bool ok = profiles_parse(text, strlen(text), &profiles, err);

	profiles_release(&profiles);
	return ok;
}

TEST(an_error_names_its_line)
{
	static const struct refusal rows[] = {
		{"[work\n", "^1: must be a [profile]"},
		{"\n[]\n", "^2: a profile's name must be 1 to 64"},
		{"[a b]\n", "^1: a profile's name must be 1 to 64"},
		{"addr = x\n", "^1: 'addr' is above the first [profile]"},
		{"default = a\ndefault = b\n", "^2: default: is given twice"},
		{"[a]\n[b]\n[a]\n", "^3: profile a is already defined above"},
		{"[a]\nadress = x\n", "^2: 'adress' is not a setting; use one of addr"},
		{"[a]\naddr = x\naddr = y\n", "^3: addr: is given twice"},
		{"[a]\naddr =\n", "^2: addr: must be 1 to 1024 bytes"},
		{"[a]\naddr = x\ty\n", "^2: addr: has a control character"},
		{"[a]\ntimeout = soon\n", "^2: timeout: 'soon' is not a duration"},
		{"[a]\njson = true\n", "^2: json: 'true' must be yes or no"},
		{"[a]\nkey = bsk_secret\n", "^2: 'key' is not a setting"},
		{"[a]\nnonsense\n", "^2: must be a [profile]"},
	};

	ALL_REFUSED(rows, file_accepts);
}

static void sets_to(const char *text, const char *profile, const char *setting, const char *value, const char *expected)
{
	struct buf out = {0};

	profile_text_set(&out, text, profile, setting, value);
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

TEST(a_change_leaves_the_other_lines_alone)
{
	sets_to("# x\n[a]\naddr = 1\n\n[b]\n", "a", "addr", "2", "# x\n[a]\naddr = 2\n\n[b]\n");
	sets_to("# x\n[a]\naddr = 1\n\n[b]\n", "a", "tenant", "t", "# x\n[a]\naddr = 1\ntenant = t\n\n[b]\n");
	sets_to("# x\n[a]\naddr = 1\n\n[b]\n", "a", "addr", NULL, "# x\n[a]\n\n[b]\n");
	sets_to("[a]\n", "b", "addr", "2", "[a]\n\n[b]\naddr = 2\n");
	sets_to("", "b", "addr", "2", "[b]\naddr = 2\n");
	sets_to("[a]\naddr = 1", "a", "json", "no", "[a]\naddr = 1\njson = no\n");
	sets_to("[a]\n", "", "default", "a", "default = a\n\n[a]\n");
	sets_to("# x\n\n[a]\n", "", "default", "a", "# x\ndefault = a\n\n[a]\n");
	sets_to("default = b\n[a]\n", "", "default", NULL, "[a]\n");
}

TEST(a_profile_that_is_dropped_takes_its_lines_with_it)
{
	struct buf out = {0};

	profile_text_drop(&out, usual, "work");
	assert_string_equal(buf_str(&out), "# mine\ndefault = work\n\n[ home ]\r\n\tjson = yes  \n");
	buf_release(&out);
}

TEST(the_file_is_its_owners_alone_and_replaced_as_a_whole)
{
	char folder[] = "/tmp/b-profile-XXXXXX";
	struct profile_file file;
	struct buf text = {0}, name = {0};
	struct stat is;
	struct err err;

	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	setenv("HOME", "/home/ann", 1);
	assert_false(profile_file_exists());
	assert_true(profile_file_read(&file, &err));
	buf_put_str(&text, usual);
	assert_true(profile_file_write(&file, &text, &err));
	assert_int_equal(stat(buf_str(&file.path), &is), 0);
	assert_int_equal(is.st_mode & 0777, 0600);
	profile_file_expand(&file, "~/k", &name);
	assert_string_equal(buf_str(&name), "/home/ann/k");
	buf_reset(&name);
	profile_file_expand(&file, "k", &name);
	assert_string_equal(buf_str(&name) + strlen(folder), "/bursar/k");
	profile_file_release(&file);
	assert_true(profile_file_exists() && profile_file_read(&file, &err));
	assert_int_equal(file.profiles.count, 2);
	unlink(buf_str(&file.path));
	*strrchr((char *)buf_str(&file.path), '/') = '\0';
	assert_int_equal(stat(buf_str(&file.path), &is), 0);
	assert_int_equal(is.st_mode & 0777, 0700);
	assert_int_equal(rmdir(buf_str(&file.path)), 0); /* nothing temporary is left */
	rmdir(folder);
	profile_file_release(&file);
	buf_release(&text);
	buf_release(&name);
}
