# Turns a text into a C string literal, with one line of C per line of text.
function(embed_text out text)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REPLACE "\t" "\\t" text "${text}")
	string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
	set(${out} "\t\"${text}\"" PARENT_SCOPE)
endfunction()

# Reads a file unchanged. file(READ) keeps every character, and quoting keeps semicolons and brackets from being read as
# lists.
function(read_text out path)
	file(READ "${path}" text)
	set(${out} "${text}" PARENT_SCOPE)
endfunction()
