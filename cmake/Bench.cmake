# Builds every file with a main() under tests/bench as build/bench/<name>. tests/bench/run runs these programs; ctest
# never does.

add_custom_target(bench DEPENDS bursard bursar)
file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/bench/*.c")
foreach(source IN LISTS sources)
	get_filename_component(name "${source}" NAME_WE)
	add_executable(bench_${name} "${source}")
	set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
	add_dependencies(bench bench_${name})
	target_include_directories(bench_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
	target_link_libraries(bench_${name} PRIVATE bursar_all bursar_warnings)
endforeach()
