# cmake -DROOT=server/page -DOUT=embedded_page.c -P embed_page.cmake
# Makes one row for each file of the dashboard, in the order of their paths; index.html is "/", docs/index.html is "/docs".
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*")
list(SORT files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
	string(REGEX REPLACE "^.*\\." "" suffix "${file}")
	if(NOT DEFINED "type_${suffix}")
		message(FATAL_ERROR "server/page/${file}: a file of the page is .html, .css, .js or .svg")
	endif()
	set(path "/${file}")
	if(file STREQUAL "index.html")
		set(path "/")
	elseif(file MATCHES "^(.*)/index\\.html$")
		set(path "/${CMAKE_MATCH_1}")
	endif()
	file(READ "${ROOT}/${file}" hex HEX)
	file(SHA256 "${ROOT}/${file}" hash)
	string(SUBSTRING "${hash}" 0 16 etag)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "(.....................................................................................)" "\\1\n" bytes "${bytes}")
	string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}\n};\n")
	string(APPEND rows "\t{ .path = \"${path}\", .type = \"${type_${suffix}}\", .etag = \"\\\"${etag}\\\"\", "
		".bytes = file_${count}, .size = sizeof(file_${count}) },\n")
	math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUT}" "/* Made from server/page/ by cmake/embed_page.cmake. */
#include \"base/embedded.h\"

${arrays}
const struct embedded_page embedded_pages[] = {
${rows}};
const size_t embedded_pages_count = ${count};
")
