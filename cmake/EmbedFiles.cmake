# cmake -DOUTPUT=files.cpp -DHEADER=bridge/files.h -DNAMESPACE=onward::bridge -DROOT=python -DFILES=a.py;b.py -P EmbedFiles.cmake:
# files as string literals in C++. The header declares EmbeddedFile and embedded_files().
set(text "// Generated from ${ROOT} by the build.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\nnamespace {\n\n")
string(APPEND text "constexpr EmbeddedFile kFiles[] = {\n")
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" content)
  string(APPEND text "    {\"${file}\", R\"onward(${content})onward\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\n")
string(APPEND text "std::span<const EmbeddedFile> embedded_files() { return kFiles; }\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE "${OUTPUT}" "${text}")
