# cmake -DROOT=lua -DSYMBOL=bursar_lua_source -DOUT=embedded_lua.c -P embed_lua.cmake
# Concatenates the files that the folder's ORDER lists, in that order. Unlisted or missing files stop the build. lua/
# and lua/pool/ are one library each.
include("${CMAKE_CURRENT_LIST_DIR}/embed_text.cmake")

file(GLOB present RELATIVE "${ROOT}" "${ROOT}/lib/*.lua" "${ROOT}/*.lua")
set(order "")
if(EXISTS "${ROOT}/ORDER")
	file(STRINGS "${ROOT}/ORDER" order REGEX "^[^#]")
elseif(present)
	message(FATAL_ERROR "${ROOT}/ORDER is missing: it lists the folder's files in the order in which they are concatenated")
endif()
set(missing ${present})
list(REMOVE_ITEM missing ${order})
if(missing)
	message(FATAL_ERROR "${ROOT}/ORDER does not list ${missing}")
endif()

set(source "")
foreach(name IN LISTS order)
	if(NOT EXISTS "${ROOT}/${name}")
		message(FATAL_ERROR "${ROOT}/ORDER lists ${name}, which does not exist")
	endif()
	read_text(text "${ROOT}/${name}")
	string(APPEND source "${text}")
endforeach()
embed_text(literal "${source}")
file(WRITE "${OUT}" "/* Made from Lua by cmake/embed_lua.cmake. */
#include \"base/embedded.h\"

const char ${SYMBOL}[] =
${literal};
const size_t ${SYMBOL}_size = sizeof(${SYMBOL}) - 1;
")
