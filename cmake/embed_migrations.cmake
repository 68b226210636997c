# cmake -DROOT=migrations -DOUT=embedded_migrations.c -P embed_migrations.cmake
# Makes one row for each NNNN_name.up.sql, in numerical order; each needs its NNNN_name.down.sql.
include("${CMAKE_CURRENT_LIST_DIR}/embed_text.cmake")

file(GLOB ups RELATIVE "${ROOT}" "${ROOT}/*.up.sql")
list(SORT ups)
set(rows "")
set(last "")
set(count 0)
foreach(up IN LISTS ups)
	if(NOT up MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)\\.up\\.sql$")
		message(FATAL_ERROR "migrations/${up}: the name must look like 0001_name.up.sql")
	endif()
	set(number "${CMAKE_MATCH_1}")
	set(name "${CMAKE_MATCH_2}")
	if(number STREQUAL last)
		message(FATAL_ERROR "migrations/${up}: ${number} is used twice")
	endif()
	set(last "${number}")
	string(REGEX REPLACE "^0+" "" version "${number}")
	set(down "${number}_${name}.down.sql")
	if(NOT EXISTS "${ROOT}/${down}")
		message(FATAL_ERROR "migrations/${up}: ${down} is missing")
	endif()
	read_text(up_text "${ROOT}/${up}")
	read_text(down_text "${ROOT}/${down}")
	embed_text(up_literal "${up_text}")
	embed_text(down_literal "${down_text}")
	string(APPEND rows "\t{ .version = ${version}, .name = \"${name}\", .up =\n${up_literal},\n\t.down =\n${down_literal} },\n")
	math(EXPR count "${count} + 1")
endforeach()
# The final row of zeros lets a tree without migrations compile.
file(WRITE "${OUT}" "/* Made from migrations/ by cmake/embed_migrations.cmake. */
#include \"base/embedded.h\"

const struct embedded_migration embedded_migrations[] = {
${rows}	{ .version = 0 },
};
const size_t embedded_migrations_count = ${count};
")
