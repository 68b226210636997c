# cmake -DPROTO=proto/bursar/v1 -DHEADER=methods.h -DTABLE=methods.def -P methods.cmake
# Reads the RPCs of limiter.proto and admin.proto and writes libbursar's functions for them: HEADER, which bursar.h
# includes and which is installed, and TABLE, for client/c. An RPC's `//` comment is above it or at the end of its line.
# RPCs to which callers send a stream are left out: libbursar has no such calls.

function(snake_case out name)
	string(REGEX REPLACE "([a-z0-9])([A-Z])" "\\1_\\2" name "${name}")
	string(TOLOWER "${name}" name)
	set(${out} "${name}" PARENT_SCOPE)
endfunction()

# Appends the function of a unary RPC. `comment` consists of lines that each end in a newline; it may be empty.
function(add_method service rpc request answer comment)
	snake_case(name "${rpc}")
	string(TOUPPER "${name}" enum)
	snake_case(request_name "${request}")
	snake_case(answer_name "${answer}")
	if(comment MATCHES "^([^\n]*)\n?$")
		string(REGEX REPLACE "^(.+)\n$" ": \\1" comment "${comment}")
		set(comment "/* ${service}.${rpc}${comment} */")
	else()
		string(REGEX REPLACE "([^\n]*)\n" " * \\1\n" comment "${comment}")
		set(comment "/*\n * ${service}.${rpc}\n${comment} */")
	endif()
	set(constants "${constants}\tBURSAR_${enum},\n" PARENT_SCOPE)
	set(functions "${functions}
${comment}
Bursar__V1__${answer} *bursar_${name}(
	struct bursar *bursar, const Bursar__V1__${request} *request, struct bursar_error *error);
" PARENT_SCOPE)
	set(rows "${rows}METHOD(${enum}, ${name}, \"/bursar.v1.${service}/${rpc}\", ${request}, ${request_name}, ${answer}, ${answer_name})\n"
		PARENT_SCOPE)
endfunction()

function(add_stream service rpc request answer comment)
	snake_case(name "${rpc}")
	string(TOUPPER "${name}" enum)
	snake_case(request_name "${request}")
	snake_case(answer_name "${answer}")
	string(REGEX REPLACE "([^\n]*)\n" "\t * \\1\n" comment "${comment}")
	set(streams "${streams}\t/*
\t * ${service}.${rpc}: Bursar__V1__${request}, answered by Bursar__V1__${answer}
${comment}\t */
\tBURSAR_${enum},\n" PARENT_SCOPE)
	set(rows "${rows}STREAM(${enum}, \"/bursar.v1.${service}/${rpc}\", ${request_name}, ${answer_name})\n" PARENT_SCOPE)
endfunction()

# Splits by lines instead of using a list, because comments may contain semicolons and brackets.
macro(read_service service file)
	file(READ "${file}" text)
	string(FIND "${text}" "service ${service} {\n" at)
	string(SUBSTRING "${text}" ${at} -1 text)
	set(comment "")
	while(NOT text MATCHES "^}")
		string(FIND "${text}" "\n" end)
		string(SUBSTRING "${text}" 0 ${end} line)
		math(EXPR end "${end} + 1")
		string(SUBSTRING "${text}" ${end} -1 text)
		if(line MATCHES "^ *rpc ([A-Za-z0-9]+)\\((stream )?([A-Za-z0-9]+)\\) returns \\((stream )?([A-Za-z0-9]+)\\); *(// *(.*))?$")
			set(streamed "${CMAKE_MATCH_2}")
			set(kind "${CMAKE_MATCH_4}")
			set(words "${CMAKE_MATCH_1};${CMAKE_MATCH_3};${CMAKE_MATCH_5}")
			if(CMAKE_MATCH_7)
				string(APPEND comment "${CMAKE_MATCH_7}\n")
			endif()
			if(kind AND NOT streamed)
				add_stream(${service} ${words} "${comment}")
			elseif(NOT streamed)
				add_method(${service} ${words} "${comment}")
			endif()
			set(comment "")
		elseif(line MATCHES "rpc ")
			message(FATAL_ERROR "${file}: cmake/methods.cmake cannot read this RPC; write it on one line: ${line}")
		elseif(line MATCHES "^ *// *(.*)$")
			string(APPEND comment "${CMAKE_MATCH_1}\n")
		else()
			set(comment "")
		endif()
	endwhile()
endmacro()

read_service(Limiter "${PROTO}/limiter.proto")
read_service(Admin "${PROTO}/admin.proto")
file(WRITE "${HEADER}" "/* Bursar's RPCs, generated from its .proto files. Include bursar.h instead, which describes how the functions behave. */
#ifndef BURSAR_METHODS_H
#define BURSAR_METHODS_H

/* The unary RPCs. */
enum bursar_method {
${constants}	BURSAR_METHODS /* how many there are */
};

/* The RPCs that answer with a stream, for bursar_stream_open. */
enum bursar_stream_method {
${streams}	BURSAR_STREAMS /* how many there are */
};
${functions}
#endif
")
file(WRITE "${TABLE}" "/*
 * Every RPC, generated from proto/ by cmake/methods.cmake:
 * METHOD(enum, name, path, request, request in snake case, answer, answer in snake case)
 * STREAM(enum, path, request in snake case, answer in snake case)
 */
#ifndef METHOD
#define METHOD(...)
#endif
#ifndef STREAM
#define STREAM(...)
#endif
${rows}
#undef METHOD
#undef STREAM
")
