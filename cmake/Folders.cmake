# One static library per layer, that is, a folder with its rooms. A layer without sources becomes a header-only library,
# so that a partial tree builds too.

set(BURSAR_LIBRARIES "" CACHE INTERNAL "")
set(BURSAR_BELOW "" CACHE INTERNAL "")

function(bursar_folder name folder)
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*.c")
	list(FILTER sources EXCLUDE REGEX "/(main|wire)\\.c$|/examples/")
	set(library bursar_${name})
	if(sources)
		add_library(${library} STATIC ${sources})
		target_link_libraries(${library} PRIVATE bursar_warnings)
		set(scope PUBLIC)
		set(BURSAR_LIBRARIES ${library} ${BURSAR_LIBRARIES} CACHE INTERNAL "")
	else()
		add_library(${library} INTERFACE)
		set(scope INTERFACE)
	endif()
	target_include_directories(${library} ${scope} "${CMAKE_SOURCE_DIR}/server" "${CMAKE_SOURCE_DIR}/client")
	target_link_libraries(${library} ${scope} ${BURSAR_BELOW} bursar_embedded bursar_proto bursar_system bursar_flags)
	set(BURSAR_BELOW ${library} ${BURSAR_BELOW} CACHE INTERNAL "")
endfunction()

# bursar_all: everything, for the programs and the tests, in the order of the layers, so that the linker needs only one
# pass.
function(bursar_everything)
	add_library(bursar_all INTERFACE)
	target_link_libraries(bursar_all INTERFACE ${BURSAR_BELOW} bursar_warnings)
endfunction()

# Builds the main.c of `folder` and the files that connect its parts (wire.c, background.c, web.c) with only the libraries it needs, so that
# the command line builds without the server.
function(bursar_program name folder)
	file(GLOB main CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/main.c" "${CMAKE_SOURCE_DIR}/${folder}/wire.c" "${CMAKE_SOURCE_DIR}/${folder}/background.c" "${CMAKE_SOURCE_DIR}/${folder}/web.c")
	if(NOT main)
		message(STATUS "${name}: no ${folder}/main.c yet")
		return()
	endif()
	add_executable(${name} ${main})
	target_link_libraries(${name} PRIVATE ${ARGN} bursar_warnings)
	install(TARGETS ${name} RUNTIME)
endfunction()
