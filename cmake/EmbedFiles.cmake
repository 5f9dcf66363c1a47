# cmake -DOUTPUT=files.cpp -DROOT=python -DFILES=a.py;b.py -P EmbedFiles.cmake: files as string literals in C++, for
# src/bridge/files.h.
set(text "// Generated from ${ROOT} by the build.\n#include \"bridge/files.h\"\n\nnamespace onward::bridge {\nnamespace {\n\n")
string(APPEND text "constexpr EmbeddedFile kFiles[] = {\n")
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" content)
  string(APPEND text "    {\"${file}\", R\"onward(${content})onward\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\n")
string(APPEND text "std::span<const EmbeddedFile> embedded_files() { return kFiles; }\n\n}  // namespace onward::bridge\n")
file(WRITE "${OUTPUT}" "${text}")
