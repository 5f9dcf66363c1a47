# What the edge build links, all of it static: headers and archives of the distribution, for another machine from the
# sysroot that scripts/bootstrap_edge.sh makes; simdjson and libspng, of which Debian has no archives, from source.
if(CMAKE_CROSSCOMPILING)
  set(edge_root "${ONWARD_DEPS}/sysroot-${CMAKE_SYSTEM_PROCESSOR}/usr")
  set(edge_search PATHS "${edge_root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
endif()

# onward_archive(yaml libyaml-cpp.a) makes onward::yaml.
function(onward_archive name)
  set(archives)
  foreach(file IN LISTS ARGN)
    find_library(EDGE_${file} NAMES "${file}" ${edge_search} REQUIRED)
    list(APPEND archives "${EDGE_${file}}")
  endforeach()
  onward_alias(${name} ${archives})
  if(CMAKE_CROSSCOMPILING)
    target_include_directories(onward_dep_${name} SYSTEM INTERFACE
                               "${edge_root}/include/${CMAKE_LIBRARY_ARCHITECTURE}" "${edge_root}/include")
  endif()
endfunction()

# onward_source(spng DIR spng.c) compiles it and makes onward::spng.
function(onward_source name folder file)
  find_path(EDGE_${name}_DIR "${file}" PATHS "${folder}" NO_DEFAULT_PATH REQUIRED)
  add_library(edge_${name} STATIC "${EDGE_${name}_DIR}/${file}")
  target_include_directories(edge_${name} SYSTEM PUBLIC "${EDGE_${name}_DIR}")
  target_compile_options(edge_${name} PRIVATE -w)
  onward_alias(${name} edge_${name})
endfunction()

onward_archive(zlib libz.a)
onward_archive(crypto libcrypto.a)
onward_archive(ssl libssl.a libcrypto.a)
onward_archive(jpeg libjpeg.a)
onward_archive(yaml libyaml-cpp.a)
onward_source(simdjson "${ONWARD_DEPS}/simdjson-3.12.3" simdjson.cpp)
onward_source(spng "${ONWARD_DEPS}/spng-0.7.4" spng.c)
target_link_libraries(edge_spng PUBLIC onward::zlib m)

# Headers only, the same for every machine.
find_path(EDGE_HEADERS boost/version.hpp REQUIRED)
find_path(EDGE_FMT_HEADERS fmt/format.h REQUIRED)
find_path(EDGE_CLI11_HEADERS CLI/CLI.hpp REQUIRED)
onward_alias(fmt)
target_compile_definitions(onward_dep_fmt INTERFACE FMT_HEADER_ONLY)
onward_alias(cli11)
onward_alias(beast onward::ssl Threads::Threads)
