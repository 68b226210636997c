# cmake -DFILE=any -DSYMBOL=name -DOUT=embedded.c -P embed_bytes.cmake
file(READ "${FILE}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(.....................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}" "/* Made from ${SYMBOL} by cmake/embed_bytes.cmake. */
#include \"base/embedded.h\"

const unsigned char ${SYMBOL}[] = {
${bytes}
};
const size_t ${SYMBOL}_size = sizeof(${SYMBOL});
")
