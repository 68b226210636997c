# Builds each tests/fuzz/fuzz_*.c twice: as it is, and as fuzz_*_planted with -DPLANTED_BUG, a bug that the fuzzer must
# find.

include(Surroundings)

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c")
foreach(source IN LISTS sources)
	get_filename_component(name "${source}" NAME_WE)
	foreach(variant IN ITEMS "" _planted)
		add_executable(${name}${variant} "${source}")
		set_target_properties(${name}${variant} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
		target_include_directories(${name}${variant} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
		target_link_libraries(${name}${variant} PRIVATE test_surroundings bursar_all)
		target_link_options(${name}${variant} PRIVATE -fsanitize=fuzzer)
	endforeach()
	target_compile_definitions(${name}_planted PRIVATE PLANTED_BUG=1)
endforeach()
