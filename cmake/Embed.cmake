# The Lua and the migrations travel inside the binary: see server/base/embedded.h for what they look like there.

function(bursar_embedded_library)
	file(GLOB lua CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/lua/lib/*.lua" "${CMAKE_SOURCE_DIR}/lua/*.lua" "${CMAKE_SOURCE_DIR}/lua/ORDER")
	file(GLOB sql CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/migrations/*.sql")
	set(lua_c "${CMAKE_BINARY_DIR}/gen/embedded_lua.c")
	set(sql_c "${CMAKE_BINARY_DIR}/gen/embedded_migrations.c")
	add_custom_command(OUTPUT "${lua_c}"
		COMMAND "${CMAKE_COMMAND}" "-DROOT=${CMAKE_SOURCE_DIR}/lua" "-DOUT=${lua_c}" -P "${CMAKE_SOURCE_DIR}/cmake/embed_lua.cmake"
		DEPENDS ${lua} cmake/embed_lua.cmake cmake/embed_text.cmake COMMENT "embedding lua/" VERBATIM)
	add_custom_command(OUTPUT "${sql_c}"
		COMMAND "${CMAKE_COMMAND}" "-DROOT=${CMAKE_SOURCE_DIR}/migrations" "-DOUT=${sql_c}"
			-P "${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake"
		DEPENDS ${sql} cmake/embed_migrations.cmake cmake/embed_text.cmake COMMENT "embedding migrations/" VERBATIM)
	add_library(bursar_embedded STATIC "${lua_c}" "${sql_c}")
	target_include_directories(bursar_embedded PUBLIC "${CMAKE_SOURCE_DIR}/server")
	target_link_libraries(bursar_embedded PUBLIC bursar_flags)
endfunction()
