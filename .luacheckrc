-- The scripts of lua/ run inside Redis as one text, in the order of lua/ORDER: tests/lint/lua checks them so.
std = "lua51"
read_globals = {"redis", "struct", "bit", "cjson", "cmsgpack"}
max_line_length = 120
max_comment_line_length = 140
