# The environment of tests and fuzz targets: the sanitizers' options and the path of the source. ctest sets it; for
# programs started by hand, tests/lib/surroundings.c, which is linked into each of them, makes it the default.

set(BURSAR_ASAN_OPTIONS "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1")
set(BURSAR_UBSAN_OPTIONS "print_stacktrace=1")
set(BURSAR_LSAN_OPTIONS "suppressions=${CMAKE_SOURCE_DIR}/tests/suppressions/lsan.txt:print_suppressions=0")
set(BURSAR_TSAN_OPTIONS "ignore_noninstrumented_modules=1:suppressions=${CMAKE_SOURCE_DIR}/tests/suppressions/tsan.txt")

set(BURSAR_TEST_ENV "BURSAR_SOURCE_DIR=${CMAKE_SOURCE_DIR}" "BURSAR_BINARY_DIR=${CMAKE_BINARY_DIR}")
add_library(test_surroundings OBJECT "${CMAKE_SOURCE_DIR}/tests/lib/surroundings.c")
target_compile_definitions(test_surroundings PRIVATE "TEST_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"")
target_link_libraries(test_surroundings PRIVATE bursar_flags bursar_warnings)
foreach(sanitizer ASAN UBSAN LSAN TSAN)
	list(APPEND BURSAR_TEST_ENV "${sanitizer}_OPTIONS=${BURSAR_${sanitizer}_OPTIONS}")
	target_compile_definitions(test_surroundings PRIVATE "TEST_${sanitizer}_OPTIONS=\"${BURSAR_${sanitizer}_OPTIONS}\"")
endforeach()
