# The Lua and the migrations travel inside the binary: see server/base/embedded.h for what they look like there.

# A C file that holds the Lua of a folder in `symbol`; its path into `out`.
function(bursar_embed_lua out folder symbol)
	set(root "${CMAKE_SOURCE_DIR}/${folder}")
	file(GLOB lua CONFIGURE_DEPENDS "${root}/lib/*.lua" "${root}/*.lua" "${root}/ORDER")
	set(path "${CMAKE_BINARY_DIR}/gen/${symbol}.c")
	add_custom_command(OUTPUT "${path}"
		COMMAND "${CMAKE_COMMAND}" "-DROOT=${root}" "-DSYMBOL=${symbol}" "-DOUT=${path}"
			-P "${CMAKE_SOURCE_DIR}/cmake/embed_lua.cmake"
		DEPENDS ${lua} cmake/embed_lua.cmake cmake/embed_text.cmake COMMENT "embedding ${folder}/" VERBATIM)
	set(${out} "${path}" PARENT_SCOPE)
endfunction()

function(bursar_embedded_library)
	file(GLOB sql CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/migrations/*.sql")
	bursar_embed_lua(lua_c lua bursar_lua_source)
	bursar_embed_lua(pool_c lua/pool bursar_pool_lua_source)
	set(sql_c "${CMAKE_BINARY_DIR}/gen/embedded_migrations.c")
	add_custom_command(OUTPUT "${sql_c}"
		COMMAND "${CMAKE_COMMAND}" "-DROOT=${CMAKE_SOURCE_DIR}/migrations" "-DOUT=${sql_c}"
			-P "${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake"
		DEPENDS ${sql} cmake/embed_migrations.cmake cmake/embed_text.cmake COMMENT "embedding migrations/" VERBATIM)
	add_library(bursar_embedded STATIC "${lua_c}" "${pool_c}" "${sql_c}")
	target_include_directories(bursar_embedded PUBLIC "${CMAKE_SOURCE_DIR}/server")
	target_link_libraries(bursar_embedded PUBLIC bursar_flags)
endfunction()
