# Generates build/gen/**/*.pb-c.{c,h} and the library bursar_proto from proto/**/*.proto. Include the headers as
# "bursar/v1/limiter.pb-c.h". From the RPCs of bursar.v1 it generates build/gen/bursar/methods.h and
# build/gen/c/methods.def, for libbursar.

set(BURSAR_GEN "${CMAKE_BINARY_DIR}/gen")

# Google's well-known types are installed as .proto files only, so those that proto/ imports are generated like ours.
function(bursar_well_known_protos out root include)
	set(found "")
	set(queue ${ARGN})
	while(queue)
		list(POP_FRONT queue file)
		file(STRINGS "${file}" imports REGEX "^import .*\"google/protobuf/[a-z_]+\\.proto\"")
		foreach(line IN LISTS imports)
			string(REGEX REPLACE ".*\"(google/protobuf/[a-z_]+\\.proto)\".*" "\\1" path "${line}")
			if(EXISTS "${root}/${path}" OR path IN_LIST found)
				continue()
			endif()
			list(APPEND found "${path}")
			list(APPEND queue "${include}/${path}")
		endforeach()
	endwhile()
	set(${out} "${found}" PARENT_SCOPE)
endfunction()

function(bursar_proto_library)
	set(root "${CMAKE_SOURCE_DIR}/proto")
	file(GLOB_RECURSE files CONFIGURE_DEPENDS "${root}/*.proto")
	file(MAKE_DIRECTORY "${BURSAR_GEN}")
	if(NOT files)
		add_library(bursar_proto INTERFACE)
		target_include_directories(bursar_proto SYSTEM INTERFACE "${BURSAR_GEN}")
		target_link_libraries(bursar_proto INTERFACE bursar_system bursar_flags)
		return()
	endif()

	find_path(WELL_KNOWN_PROTOS google/protobuf/any.proto)
	set(includes "${root}")
	if(WELL_KNOWN_PROTOS)
		list(APPEND includes "${WELL_KNOWN_PROTOS}")
	endif()
	list(TRANSFORM includes PREPEND "-I" OUTPUT_VARIABLE flags)

	set(names "")
	foreach(file IN LISTS files)
		file(RELATIVE_PATH name "${root}" "${file}")
		list(APPEND names "${name}")
	endforeach()
	bursar_well_known_protos(well_known "${root}" "${WELL_KNOWN_PROTOS}" ${files})
	list(APPEND names ${well_known})

	set(sources "")
	foreach(name IN LISTS names)
		string(REGEX REPLACE "\\.proto$" "" stem "${name}")
		set(outputs "${BURSAR_GEN}/${stem}.pb-c.c" "${BURSAR_GEN}/${stem}.pb-c.h")
		# A change to any file regenerates all, because they import each other and it takes only a second.
		add_custom_command(OUTPUT ${outputs} COMMAND "${PROTOC_C}" ${flags} "--c_out=${BURSAR_GEN}" "${name}"
			DEPENDS ${files} COMMENT "protoc-c ${name}" VERBATIM)
		list(APPEND sources ${outputs})
	endforeach()
	file(MAKE_DIRECTORY "${BURSAR_GEN}/c")
	set(outputs "${BURSAR_GEN}/bursar/methods.h" "${BURSAR_GEN}/c/methods.def")
	list(GET outputs 0 header)
	list(GET outputs 1 table)
	add_custom_command(OUTPUT ${outputs}
		COMMAND "${CMAKE_COMMAND}" "-DPROTO=${root}/bursar/v1" "-DHEADER=${header}" "-DTABLE=${table}"
			-P "${CMAKE_SOURCE_DIR}/cmake/methods.cmake"
		DEPENDS ${files} cmake/methods.cmake COMMENT "the RPCs of libbursar" VERBATIM)
	add_library(bursar_proto STATIC ${sources} ${outputs})
	target_compile_options(bursar_proto PRIVATE -w)
	# libbursar contains these too and exports only what bursar.h declares; protoc-c's code has more global symbols
	# than its headers say.
	set_target_properties(bursar_proto PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
	list(FILTER sources INCLUDE REGEX "/bursar/v1/[a-z]+\\.pb-c\\.c$")
	set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-include;${CMAKE_SOURCE_DIR}/client/c/bursar.h")
	target_include_directories(bursar_proto SYSTEM PUBLIC "${BURSAR_GEN}")
	target_link_libraries(bursar_proto PUBLIC bursar_system bursar_flags)
endfunction()
