# Turns a text into a C string literal, one line of text a line of C.
function(embed_text out text)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REPLACE "\t" "\\t" text "${text}")
	string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
	set(${out} "\t\"${text}\"" PARENT_SCOPE)
endfunction()

# Reads a whole file as it is. file(READ) keeps every character; quoting keeps semicolons and brackets from being taken for lists.
function(read_text out path)
	file(READ "${path}" text)
	set(${out} "${text}" PARENT_SCOPE)
endfunction()
