# The libraries we depend on, all found by pkg-config.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

set(BURSAR_MODULES grpc libprotobuf-c hiredis libuv libnghttp2 jansson libmicrohttpd gnutls libpq popt smartcols libsodium libcrypto libssl yaml-0.1 libcurl zlib)
add_library(bursar_system INTERFACE)
foreach(module IN LISTS BURSAR_MODULES)
	string(MAKE_C_IDENTIFIER "${module}" name)
	pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET ${module})
	target_link_libraries(bursar_system INTERFACE PkgConfig::${name})
endforeach()
target_link_libraries(bursar_system INTERFACE Threads::Threads m)

# hiredis supports TLS from 1.0 on (Debian 13); without it the server refuses rediss:// with an explanation.
pkg_check_modules(hiredis_ssl QUIET IMPORTED_TARGET hiredis_ssl)
if(hiredis_ssl_FOUND)
	target_link_libraries(bursar_system INTERFACE PkgConfig::hiredis_ssl)
	target_compile_definitions(bursar_system INTERFACE BURSAR_REDIS_TLS=1)
endif()

pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka)
find_program(PROTOC_C protoc-c REQUIRED)
