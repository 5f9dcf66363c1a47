# The edge program, and what it needs beside it, in dist/ of the build folder: put dist/ on a machine and it runs.
onward_layer(edge DEPENDS bundle cli/predict LINK onward::fmt
             PRIVATE_LINK onward::onnxruntime onward::cli11 ${CMAKE_DL_LIBS} EXCLUDE main)
add_executable(onward-edge "${PROJECT_SOURCE_DIR}/src/edge/main.cpp")
target_compile_definitions(onward-edge PRIVATE ONWARD_VERSION="${PROJECT_VERSION}")
target_link_libraries(onward-edge PRIVATE onward_options onward_edge onward::cli11)
set_target_properties(onward-edge PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/dist")

# The C++ runtime is ONNX Runtime's, which looks for it beside itself first; the program has its own inside.
set(edge_libraries "${ONNXRUNTIME_LIBRARY}")
foreach(library libstdc++.so.6 libgcc_s.so.1)
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=${library} OUTPUT_VARIABLE file
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND edge_libraries "${file}")
endforeach()
foreach(library IN LISTS edge_libraries)
  file(REAL_PATH "${library}" real)
  string(REGEX REPLACE "libonnxruntime\\.so$" "libonnxruntime.so.1" library "${library}")
  get_filename_component(name "${library}" NAME)
  add_custom_command(TARGET onward-edge POST_BUILD
                     COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${real}" "${PROJECT_BINARY_DIR}/dist/${name}")
endforeach()
