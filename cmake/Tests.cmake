# Every test_*.c, and every file with a main(), under tests/unit/<folder>, tests/contract and tests/property becomes a
# test named after it; the other files in its folder are helpers that all its tests link. A file named *_tsan.c also runs
# under ThreadSanitizer.

if(NOT cmocka_FOUND)
	message(FATAL_ERROR "the tests need cmocka (libcmocka-dev); without tests: -DBURSAR_TESTS=OFF")
endif()

include(Surroundings)

# An argument to such a program runs only the tests with that name (tests/lib/chosen.c).
add_library(test_chosen OBJECT "${CMAKE_SOURCE_DIR}/tests/lib/chosen.c")
target_link_libraries(test_chosen PRIVATE PkgConfig::cmocka bursar_flags bursar_warnings)
# A message of every type (tests/lib/every.proto), and what transcodes messages for tests/e2e/test_json_mapping.py.
set(every "${CMAKE_BINARY_DIR}/gen-tests/lib/every.pb-c")
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/gen-tests")
add_custom_command(OUTPUT "${every}.c" "${every}.h"
	COMMAND "${PROTOC_C}" "-I${CMAKE_SOURCE_DIR}/tests" "--c_out=${CMAKE_BINARY_DIR}/gen-tests" lib/every.proto
	DEPENDS "${CMAKE_SOURCE_DIR}/tests/lib/every.proto" COMMENT "protoc-c lib/every.proto" VERBATIM)
add_library(test_every STATIC "${every}.c" "${every}.h")
target_compile_options(test_every PRIVATE -w)
target_include_directories(test_every SYSTEM PUBLIC "${CMAKE_BINARY_DIR}/gen-tests")
target_link_libraries(test_every PUBLIC bursar_system bursar_flags)
add_executable(json_tool "${CMAKE_SOURCE_DIR}/tests/harness/json_tool.c")
set_target_properties(json_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(json_tool PRIVATE test_surroundings test_every bursar_all)
# What sends alerts for tests/e2e/test_deliver.py.
add_executable(deliver_tool "${CMAKE_SOURCE_DIR}/tests/harness/deliver_tool.c")
set_target_properties(deliver_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(deliver_tool PRIVATE test_surroundings bursar_all)
# A bot on libbursar for tests/e2e/test_c_client.py.
add_executable(client_tool "${CMAKE_SOURCE_DIR}/tests/harness/client_tool.c")
set_target_properties(client_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(client_tool PRIVATE test_surroundings bursar_client bursar_warnings)

# Tests that register themselves get their main() from here (tests/lib/test.h); a program that has its own does not.
add_library(test_lib STATIC "${CMAKE_SOURCE_DIR}/tests/lib/runner.c" "${CMAKE_SOURCE_DIR}/tests/lib/examples.c"
	"${CMAKE_SOURCE_DIR}/tests/lib/source.c")
target_include_directories(test_lib PUBLIC "${CMAKE_SOURCE_DIR}/tests")
target_link_libraries(test_lib PUBLIC test_every bursar_all PkgConfig::cmocka)

add_custom_target(tsan_tests)

# The model of what the Lua does: see tests/reference/reference.h.
file(GLOB reference CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/reference/*.c")
add_library(tests_reference STATIC ${reference})
target_include_directories(tests_reference PUBLIC "${CMAKE_SOURCE_DIR}/tests")
target_link_libraries(tests_reference PUBLIC bursar_all)

function(bursar_tests label folder)
	file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
	set(helpers "")
	set(mains "")
	foreach(source IN LISTS sources)
		file(STRINGS "${source}" main REGEX "^int main\\(")
		if(main OR source MATCHES "/test_[^/]*$")
			list(APPEND mains "${source}")
		else()
			list(APPEND helpers "${source}")
		endif()
	endforeach()
	string(REPLACE "${CMAKE_SOURCE_DIR}/tests/" "" prefix "${folder}")
	string(MAKE_C_IDENTIFIER "${prefix}" prefix)
	string(REGEX REPLACE "^unit_" "" prefix "${prefix}")
	if(helpers AND mains)
		add_library(tests_${prefix} STATIC ${helpers})
		target_include_directories(tests_${prefix} PUBLIC "${folder}" "${CMAKE_SOURCE_DIR}/tests")
		target_link_libraries(tests_${prefix} PUBLIC test_lib tests_reference bursar_all PkgConfig::cmocka)
	endif()
	foreach(source IN LISTS mains)
		get_filename_component(stem "${source}" NAME_WE)
		set(name "${prefix}_${stem}")
		add_executable(${name} "${source}")
		set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
		target_include_directories(${name} PRIVATE "${folder}" "${CMAKE_SOURCE_DIR}/tests")
		if(helpers)
			target_link_libraries(${name} PRIVATE tests_${prefix})
		endif()
		target_link_libraries(${name} PRIVATE test_chosen test_lib test_surroundings tests_reference bursar_all PkgConfig::cmocka)
		target_link_options(${name} PRIVATE -Wl,--wrap=_cmocka_run_group_tests)
		add_test(NAME ${name} COMMAND ${name})
		set(labels ${label})
		if(stem MATCHES "_tsan$")
			list(APPEND labels tsan)
			add_dependencies(tsan_tests ${name})
		endif()
		set_tests_properties(${name} PROPERTIES ENVIRONMENT "${BURSAR_TEST_ENV}" TIMEOUT 1800 LABELS "${labels}")
	endforeach()
endfunction()

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true "${CMAKE_SOURCE_DIR}/tests/unit/*")
foreach(folder IN LISTS folders)
	if(IS_DIRECTORY "${folder}")
		bursar_tests(unit "${folder}")
	endif()
endforeach()
bursar_tests(contract "${CMAKE_SOURCE_DIR}/tests/contract")
bursar_tests(property "${CMAKE_SOURCE_DIR}/tests/property")
bursar_tests(property "${CMAKE_SOURCE_DIR}/tests/pool")
# What calls see is the same on both carriers.
foreach(name calls ends server streams)
	set(test rpc_test_${name}_tsan)
	add_test(NAME ${test}_nghttp2 COMMAND ${test})
	set_tests_properties(${test}_nghttp2 PROPERTIES ENVIRONMENT "${BURSAR_TEST_ENV};BURSAR_CARRIER=nghttp2" TIMEOUT 1800 LABELS "unit;tsan")
endforeach()
add_test(NAME chosen COMMAND "${CMAKE_SOURCE_DIR}/tests/lib/test_chosen" "$<TARGET_FILE:base_test_err>")
set_tests_properties(chosen PROPERTIES ENVIRONMENT "${BURSAR_TEST_ENV}" LABELS unit)
# The contract's backends (the model, and the Lua in a private Redis) serve these too.
foreach(name property pool redis service)
	if(TARGET tests_${name})
		target_link_libraries(tests_${name} PUBLIC tests_contract)
	endif()
endforeach()

# An exhaustive search of the pool's protocol. It has millions of states, so it is optimised and runs without
# sanitizers.
file(GLOB model CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/model/*.c")
add_executable(pool_model ${model})
target_compile_options(pool_model PRIVATE -O2 -fno-sanitize=all)
target_link_options(pool_model PRIVATE -fno-sanitize=all)
set_target_properties(pool_model PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
add_test(NAME pool_model COMMAND pool_model)
add_test(NAME pool_model_broken COMMAND pool_model --broken)
# The search limits its own CPU time; how long that takes depends on what else the machine does.
set_tests_properties(pool_model pool_model_broken PROPERTIES TIMEOUT 7200 LABELS property)

include(Bench)
