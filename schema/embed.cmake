# Writes OUT, a C file that holds every migration of FILES (schema/NNNN_name.sql) as bytes.
# Called by CMakeLists.txt; read by lib/db_migrate.c.
list(SORT FILES)
set(arrays "")
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  string(REGEX MATCH "^[0-9]+" number ${name})
  math(EXPR version "${number} * 1" OUTPUT_FORMAT DECIMAL)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const char sql_${version}[] = {${bytes}0};\n")
  string(APPEND rows "\t{${version}, \"${name}\", sql_${version}},\n")
endforeach()
file(WRITE ${OUT} "#include \"db_migrate.h\"\n\n${arrays}
const struct migration migrations[] = {\n${rows}\t{0, 0, 0},\n};\n")
