# The installed libbursar: header, static and shared library, and bursar.pc. Our own programs link client/c directly.
#
# Both libraries consist of one object file: client/c and the generated messages linked together, with all symbols local
# that bursar.h does not declare. So neither library can clash with names in the program that links it.

set_target_properties(bursar_client PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
if(BURSAR_TESTS)
	# Builds the examples so that compiler and linters see them; tests/smoke builds them as a user would.
	file(GLOB examples CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/client/c/examples/*.c")
	foreach(example IN LISTS examples)
		get_filename_component(name "${example}" NAME_WE)
		add_executable(example_${name} "${example}")
		target_include_directories(example_${name} PRIVATE client/c)
		target_link_libraries(example_${name} PRIVATE bursar_client bursar_warnings)
		set_target_properties(example_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/examples")
	endforeach()
endif()
if(BURSAR_SANITIZE OR BURSAR_FUZZ OR BURSAR_COVERAGE)
	return()
endif()
# Objects made by -flto contain only intermediate code and cannot be linked into one object here.
target_compile_options(bursar_client PRIVATE -fno-lto)
target_compile_options(bursar_proto PRIVATE -fno-lto)

set(object "${CMAKE_BINARY_DIR}/lib/bursar.o")
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
add_custom_command(OUTPUT "${object}"
	COMMAND "${CMAKE_C_COMPILER}" -r -nostdlib -o "${object}.all" $<TARGET_OBJECTS:bursar_client> $<TARGET_FILE:bursar_proto>
	COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${object}.all" "${object}"
	DEPENDS bursar_client bursar_proto
	COMMAND_EXPAND_LISTS COMMENT "linking libbursar into one object" VERBATIM)
set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)

# The soname contains the version's first two numbers, within which the ABI is stable, as bursar.h and docs/api.md
# promise.
add_library(bursar_shared SHARED "${object}")
add_library(bursar_static STATIC "${object}")
# Without this, Make, unlike Ninja, would build the object once for each library, concurrently.
add_custom_target(bursar_object DEPENDS "${object}")
add_dependencies(bursar_shared bursar_object)
add_dependencies(bursar_static bursar_object)
set_target_properties(bursar_shared bursar_static PROPERTIES OUTPUT_NAME bursar LINKER_LANGUAGE C
	ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib"
	VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
target_link_libraries(bursar_shared PRIVATE bursar_flags PkgConfig::grpc PkgConfig::libprotobuf_c)
target_link_options(bursar_shared PRIVATE -Wl,-z,defs)

install(TARGETS bursar_shared bursar_static COMPONENT library)
install(FILES client/c/bursar.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library)
install(FILES client/c/bursar/renewer.h client/c/bursar/spool.h "${BURSAR_GEN}/bursar/methods.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bursar" COMPONENT library)
foreach(name IN ITEMS admin alerts limiter types)
	install(FILES "${BURSAR_GEN}/bursar/v1/${name}.pb-c.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bursar/v1" COMPONENT library)
endforeach()

# bursar.pc derives the prefix from its own location, because `cmake --install --prefix` may put it anywhere.
set(pc_folder "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH BURSAR_PC_PREFIX "${pc_folder}" /prefix)
string(REGEX REPLACE "/$" "" BURSAR_PC_PREFIX "${BURSAR_PC_PREFIX}")
configure_file(client/c/bursar.pc.in "${CMAKE_BINARY_DIR}/lib/bursar.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/lib/bursar.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)
