# The build options, and the flags that follow from them.

option(BURSAR_TESTS "build the tests" ON)
option(BURSAR_WERROR "treat warnings as errors" OFF)
option(BURSAR_FUZZ "build the fuzz targets (clang only)" OFF)
option(BURSAR_COVERAGE "count which lines the tests reach" OFF)
set(BURSAR_SANITIZE "" CACHE STRING "sanitizers for everything, as -fsanitize= takes them: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

add_library(bursar_flags INTERFACE)
target_compile_definitions(bursar_flags INTERFACE _GNU_SOURCE BURSAR_VERSION="${PROJECT_VERSION}")
target_compile_options(bursar_flags INTERFACE -fno-omit-frame-pointer)

# Warnings apply to our code only, not to generated code or third-party headers.
add_library(bursar_warnings INTERFACE)
target_compile_options(bursar_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wvla -Wformat=2)
if(BURSAR_WERROR)
	target_compile_options(bursar_warnings INTERFACE -Werror)
endif()

if(BURSAR_SANITIZE)
	target_compile_options(bursar_flags INTERFACE -fsanitize=${BURSAR_SANITIZE} -fno-sanitize-recover=all)
	target_link_options(bursar_flags INTERFACE -fsanitize=${BURSAR_SANITIZE})
else()
	target_compile_options(bursar_flags INTERFACE -fstack-protector-strong)
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		# Without the folder's path in it, the same source gives the same bytes, wherever it is built.
		target_compile_options(bursar_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
			"-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
	endif()
	target_link_options(bursar_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(BURSAR_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "BURSAR_FUZZ: libFuzzer needs clang; configure with -DCMAKE_C_COMPILER=clang or --preset fuzz")
	endif()
	target_compile_options(bursar_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BURSAR_COVERAGE)
	target_compile_options(bursar_flags INTERFACE --coverage -fprofile-abs-path)
	target_link_options(bursar_flags INTERFACE --coverage)
endif()
target_link_options(bursar_flags INTERFACE -Wl,--as-needed)
