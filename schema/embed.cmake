# Writes OUT, a C file that holds the SQL of FILES as bytes. Called by CMakeLists.txt.
# A migration (NNNN_name.sql) becomes a row of migrations[], read by lib/db_migrate.c; another
# file (name.sql) becomes script_name[], declared in lib/db_script.h.
list(SORT FILES)
set(arrays "")
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  string(REGEX MATCH "^[0-9]+" number ${name})
  if(number)
    math(EXPR version "${number} * 1" OUTPUT_FORMAT DECIMAL)
    string(APPEND arrays "static const char sql_${version}[] = {${bytes}0};\n")
    string(APPEND rows "\t{${version}, \"${name}\", sql_${version}},\n")
  else()
    string(APPEND arrays "const char script_${name}[] = {${bytes}0};\n")
  endif()
endforeach()
file(WRITE ${OUT} "#include \"db_migrate.h\"\n#include \"db_script.h\"\n\n${arrays}
const struct migration migrations[] = {\n${rows}\t{0, 0, 0},\n};\n")
