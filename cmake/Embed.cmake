# Embeds the Lua, the migrations, the API's descriptors, its examples and the dashboard in the binary. server/base/embedded.h
# declares them.

# Sets `out` to the path of a C file that holds a folder's Lua in `symbol`.
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

# Sets `out` to the path of a C file that holds the descriptors of proto/, including imports and comments, in protoc's format.
function(bursar_embed_descriptors out)
	set(root "${CMAKE_SOURCE_DIR}/proto")
	file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE "${root}" "${root}/*.proto")
	find_path(WELL_KNOWN_PROTOS google/protobuf/any.proto)
	set(includes "-I${root}")
	if(WELL_KNOWN_PROTOS)
		list(APPEND includes "-I${WELL_KNOWN_PROTOS}")
	endif()
	set(set "${CMAKE_BINARY_DIR}/gen/descriptors.bin")
	set(path "${CMAKE_BINARY_DIR}/gen/embedded_descriptors.c")
	list(TRANSFORM files PREPEND "${root}/" OUTPUT_VARIABLE paths)
	add_custom_command(OUTPUT "${path}"
		COMMAND "${PROTOC_C}" ${includes} --include_imports --include_source_info "--descriptor_set_out=${set}" ${files}
		COMMAND "${CMAKE_COMMAND}" "-DFILE=${set}" "-DSYMBOL=bursar_descriptors" "-DOUT=${path}"
			-P "${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake"
		DEPENDS ${paths} cmake/embed_bytes.cmake COMMENT "embedding the descriptors of proto/" VERBATIM)
	set(${out} "${path}" PARENT_SCOPE)
endfunction()

# Sets `out` to the path of a C file that holds the files of the dashboard.
function(bursar_embed_page out)
	set(root "${CMAKE_SOURCE_DIR}/server/page")
	file(GLOB_RECURSE files CONFIGURE_DEPENDS "${root}/*")
	set(path "${CMAKE_BINARY_DIR}/gen/embedded_page.c")
	add_custom_command(OUTPUT "${path}"
		COMMAND "${CMAKE_COMMAND}" "-DROOT=${root}" "-DOUT=${path}" -P "${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake"
		DEPENDS ${files} cmake/embed_page.cmake COMMENT "embedding server/page/" VERBATIM)
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
	bursar_embed_descriptors(descriptors_c)
	foreach(name examples parts)
		set(${name}_c "${CMAKE_BINARY_DIR}/gen/embedded_${name}.c")
		set(json "${CMAKE_SOURCE_DIR}/server/api/openapi/${name}.json")
		add_custom_command(OUTPUT "${${name}_c}"
			COMMAND "${CMAKE_COMMAND}" "-DFILE=${json}" "-DSYMBOL=bursar_${name}" "-DOUT=${${name}_c}"
				-P "${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake"
			DEPENDS "${json}" cmake/embed_bytes.cmake COMMENT "embedding the ${name} of OpenAPI" VERBATIM)
	endforeach()
	bursar_embed_page(page_c)
	add_library(bursar_embedded STATIC "${lua_c}" "${pool_c}" "${sql_c}" "${descriptors_c}" "${examples_c}" "${parts_c}"
		"${page_c}")
	target_include_directories(bursar_embedded PUBLIC "${CMAKE_SOURCE_DIR}/server")
	target_link_libraries(bursar_embedded PUBLIC bursar_flags)
endfunction()
