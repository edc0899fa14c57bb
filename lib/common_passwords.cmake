# Writes OUT, a C file that holds the text of FILE, ["one","another"], for lib/password.c.
file(READ ${FILE} hex HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
file(WRITE ${OUT} "extern const char common_passwords[];\nconst char common_passwords[] = {${bytes}0};\n")
