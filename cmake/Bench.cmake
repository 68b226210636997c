# Builds every file under tests/bench, and every folder of C files in it, as one program, build/bench/<name>.
# tests/bench/run runs these programs, and tests/e2e holds tests/bench/open_loop to what it promises; ctest never runs
# them.

add_custom_target(bench DEPENDS bursard bursar)

function(bursar_bench name)
	add_executable(bench_${name} ${ARGN})
	set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
	add_dependencies(bench bench_${name})
	target_include_directories(bench_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
	target_link_libraries(bench_${name} PRIVATE bursar_all bursar_warnings)
endfunction()

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/bench/*.c")
foreach(source IN LISTS sources)
	get_filename_component(name "${source}" NAME_WE)
	bursar_bench(${name} "${source}")
endforeach()

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true "${CMAKE_SOURCE_DIR}/tests/bench/*")
foreach(folder IN LISTS folders)
	file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
	if(sources)
		get_filename_component(name "${folder}" NAME)
		bursar_bench(${name} ${sources})
	endif()
endforeach()
