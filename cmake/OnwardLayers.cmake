# onward_layer(NAME path DEPENDS … LINK … [PRIVATE_LINK …] [SHARED]) makes the static library of one folder under src/.
#
# Every .cpp below the folder belongs to it (but for the sub-folders and files named in EXCLUDE). A layer sees
# only its own headers and those of the layers it depends on: each layer exports an include folder that holds nothing but a
# link to itself, so an include against the direction of docs/architecture.md does not compile.
#
# A SHARED layer is what others link from outside: it hides its own headers and the layers below it.
function(onward_layer path)
  cmake_parse_arguments(LAYER "SHARED" "" "DEPENDS;LINK;PRIVATE_LINK;EXCLUDE" ${ARGN})
  string(REPLACE "/" "_" name "onward_${path}")
  set(source_dir "${PROJECT_SOURCE_DIR}/src/${path}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${source_dir}/*.cpp")
  foreach(excluded IN LISTS LAYER_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "^${source_dir}/${excluded}(/|\\.cpp$)")
  endforeach()

  set(include_root "${PROJECT_BINARY_DIR}/layers/${name}")
  get_filename_component(parent "${include_root}/${path}" DIRECTORY)
  file(MAKE_DIRECTORY "${parent}")
  if(NOT EXISTS "${include_root}/${path}")
    file(CREATE_LINK "${source_dir}" "${include_root}/${path}" SYMBOLIC)
  endif()

  if(LAYER_SHARED)
    set(kind SHARED)
    set(visibility PRIVATE)
  else()
    set(kind STATIC)
    set(visibility PUBLIC)
  endif()
  add_library(${name} ${kind} ${sources})
  target_include_directories(${name} ${visibility} "${include_root}" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
  target_link_libraries(${name} PRIVATE onward_options)
  foreach(dependency IN LISTS LAYER_DEPENDS)
    string(REPLACE "/" "_" dependency_name "onward_${dependency}")
    target_link_libraries(${name} ${visibility} ${dependency_name})
  endforeach()
  target_link_libraries(${name} ${visibility} ${LAYER_LINK} PRIVATE ${LAYER_PRIVATE_LINK})
endfunction()

# onward_protos(layer FILE…) compiles .proto files (paths from src/) into the layer, which alone sees the generated headers.
function(onward_protos layer)
  set(generated "${PROJECT_BINARY_DIR}/generated/onward_${layer}")
  file(MAKE_DIRECTORY "${generated}")
  foreach(proto IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" ".pb" stem "${generated}/${proto}")
    add_custom_command(
      OUTPUT "${stem}.cc" "${stem}.h"
      COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}/src" "--cpp_out=${generated}" "${proto}"
      DEPENDS "${PROJECT_SOURCE_DIR}/src/${proto}" WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}/src")
    target_sources(onward_${layer} PRIVATE "${stem}.cc" "${stem}.h")
  endforeach()
  target_include_directories(onward_${layer} SYSTEM PRIVATE "${generated}")
endfunction()
