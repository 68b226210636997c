-- The scripts of lua/ and of lua/pool/ run inside Redis as one text each, in the order of ORDER: tests/lint/lua checks them so.
std = "lua51"
read_globals = {"redis", "struct", "bit", "cjson", "cmsgpack"}
max_line_length = 120
max_comment_line_length = 140
