# Warnings, sanitizers, compiler cache and linker for every target of the project.
add_library(onward_options INTERFACE)
target_compile_options(onward_options INTERFACE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Wno-missing-field-initializers
                                                -Werror)
# gcc 12's warnings that follow values through inlined library code see what cannot be: overlaps in std::string (GCC bug
# 105329), vectors of no elements written to (105562, 107852), uninitialized optionals (80635). clang-tidy and the
# sanitizer presets look for the real ones.
target_compile_options(onward_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-maybe-uninitialized>)

# char has a sign on x86-64 and none on ARM: the same for both, so that bytes over 0x7f compare alike.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm)")
  target_compile_options(onward_options INTERFACE -fsigned-char)
endif()

if(ONWARD_SANITIZE)
  add_compile_options(-fsanitize=${ONWARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ONWARD_SANITIZE})
  if(ONWARD_SANITIZE MATCHES "thread")
    # ThreadSanitizer does not know fences, and the compiler says so as an error; Asio's queues have mutexes besides.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(ONWARD_CCACHE ccache)
  if(ONWARD_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${ONWARD_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${ONWARD_CCACHE})
  endif()
endif()

include(CheckLinkerFlag)
foreach(linker mold lld)
  check_linker_flag(CXX "-fuse-ld=${linker}" ONWARD_HAS_${linker})
  if(ONWARD_HAS_${linker})
    add_link_options("-fuse-ld=${linker}")
    break()
  endif()
endforeach()
