# Finds every dependency once and names it onward::<dependency>; docs/dependencies.md says what each is for.
#
# The edge build has its own, smaller and static set (OnwardEdgeDependencies.cmake).
#
# ONNX Runtime and the ONNX library come from ONNXRUNTIME_ROOT / ONNX_ROOT where given, else from the cache that
# scripts/bootstrap.sh fills (ONWARD_DEPS), everything else from the system's packages.
if(DEFINED ENV{ONWARD_DEPS})
  set(onward_deps_default "$ENV{ONWARD_DEPS}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(onward_deps_default "$ENV{XDG_CACHE_HOME}/onward/deps")
else()
  set(onward_deps_default "$ENV{HOME}/.cache/onward/deps")
endif()
set(ONWARD_DEPS "${onward_deps_default}" CACHE PATH "Where scripts/bootstrap.sh keeps what it built")

function(onward_alias name)
  add_library(onward_dep_${name} INTERFACE)
  target_link_libraries(onward_dep_${name} INTERFACE ${ARGN})
  add_library(onward::${name} ALIAS onward_dep_${name})
endfunction()

# ONNX Runtime.
if(CMAKE_CROSSCOMPILING)
  set(onward_ort_default "${ONWARD_DEPS}/onnxruntime-1.28.0-${CMAKE_SYSTEM_PROCESSOR}")
elseif(DEFINED ENV{ONNXRUNTIME_ROOT})
  set(onward_ort_default "$ENV{ONNXRUNTIME_ROOT}")
else()
  set(onward_ort_default "${ONWARD_DEPS}/onnxruntime-1.28.0")
endif()
set(ONNXRUNTIME_ROOT "${onward_ort_default}" CACHE PATH "ONNX Runtime: include/ and lib/")
find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_cxx_api.h
          HINTS "${ONNXRUNTIME_ROOT}/include" "${ONNXRUNTIME_ROOT}/include/onnxruntime"
          PATH_SUFFIXES onnxruntime onnxruntime/core/session REQUIRED)
find_library(ONNXRUNTIME_LIBRARY onnxruntime HINTS "${ONNXRUNTIME_ROOT}/lib" REQUIRED)
onward_alias(onnxruntime)
target_include_directories(onward_dep_onnxruntime SYSTEM INTERFACE "${ONNXRUNTIME_INCLUDE_DIR}")
if(ONWARD_EDGE)  # loads it itself: src/edge/onnxruntime.h
  target_compile_definitions(onward_dep_onnxruntime INTERFACE ORT_API_MANUAL_INIT)
else()
  target_link_libraries(onward_dep_onnxruntime INTERFACE "${ONNXRUNTIME_LIBRARY}")
endif()

find_package(Threads REQUIRED)
if(ONWARD_EDGE)
  include(OnwardEdgeDependencies)
  return()
endif()

find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(JPEG REQUIRED)
pkg_check_modules(spng REQUIRED IMPORTED_TARGET spng)
find_package(gRPC CONFIG REQUIRED)
find_package(CLI11 REQUIRED)

onward_alias(fmt fmt::fmt)
onward_alias(cli11 CLI11::CLI11)
onward_alias(simdjson simdjson::simdjson)
onward_alias(zlib ZLIB::ZLIB)
onward_alias(crypto OpenSSL::Crypto)
onward_alias(jpeg JPEG::JPEG)
onward_alias(spng PkgConfig::spng)
onward_alias(yaml yaml-cpp)
onward_alias(beast Boost::headers OpenSSL::SSL Threads::Threads)
onward_alias(protobuf protobuf::libprotobuf)
onward_alias(grpc gRPC::grpc++)

# ONNX: protobuf messages, checker, shape inference, version converter.
set(ONNX_ROOT "${ONWARD_DEPS}/onnx-1.19.1" CACHE PATH "The ONNX C++ library")
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h PATHS "${ONNX_ROOT}/include" NO_DEFAULT_PATH REQUIRED)
find_library(ONNX_LIBRARY onnx PATHS "${ONNX_ROOT}/lib" NO_DEFAULT_PATH REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto PATHS "${ONNX_ROOT}/lib" NO_DEFAULT_PATH REQUIRED)
onward_alias(onnx ${ONNX_LIBRARY} ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)
target_include_directories(onward_dep_onnx SYSTEM INTERFACE "${ONNX_INCLUDE_DIR}")
target_compile_definitions(onward_dep_onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
