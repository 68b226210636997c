# What `cmake --install` installs besides the two programs.

# The command line generates its own man page and completions. Skipped under sanitizers, whose builds are not for
# installation.
if(TARGET bursar AND NOT BURSAR_SANITIZE AND NOT BURSAR_FUZZ)
	set(pages "${CMAKE_BINARY_DIR}/pages")
	file(MAKE_DIRECTORY "${pages}")
	add_custom_command(OUTPUT "${pages}/bursar.1" "${pages}/bursar" "${pages}/_bursar" "${pages}/bursar.fish"
		COMMAND bursar docs man > "${pages}/bursar.1"
		COMMAND bursar completion bash > "${pages}/bursar"
		COMMAND bursar completion zsh > "${pages}/_bursar"
		COMMAND bursar completion fish > "${pages}/bursar.fish"
		DEPENDS bursar COMMENT "man page and completions of bursar" VERBATIM)
	add_custom_target(bursar_pages ALL DEPENDS "${pages}/bursar.1")
	install(FILES "${pages}/bursar.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
	install(FILES "${pages}/bursar" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
	install(FILES "${pages}/_bursar" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
	install(FILES "${pages}/bursar.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endif()
configure_file(deploy/systemd/bursard.service.in "${CMAKE_BINARY_DIR}/bursard.service" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/bursard.service" DESTINATION lib/systemd/system)
