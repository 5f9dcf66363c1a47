# What `cmake --install` puts where: the program, libonward with its headers, and how CMake and pkg-config find it.
#
# ONNX Runtime goes into a folder of its own, so that it is never taken for the system's.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(onward_private_libs "${CMAKE_INSTALL_LIBDIR}/onward")
set(onward_package "${CMAKE_INSTALL_LIBDIR}/cmake/onward")
file(RELATIVE_PATH onward_bin_to_libs "/${CMAKE_INSTALL_BINDIR}" "/${onward_private_libs}")
set_target_properties(onward PROPERTIES INSTALL_RPATH "$ORIGIN/${onward_bin_to_libs}")
set_target_properties(onward_api PROPERTIES INSTALL_RPATH "$ORIGIN/onward")

install(TARGETS onward RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS onward_api EXPORT onward LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/onward" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
file(REAL_PATH "${ONNXRUNTIME_LIBRARY}" onward_onnxruntime_file)
install(FILES "${onward_onnxruntime_file}" DESTINATION "${onward_private_libs}" RENAME libonnxruntime.so.1)

install(EXPORT onward FILE onwardTargets.cmake NAMESPACE onward:: DESTINATION "${onward_package}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/onwardConfig.cmake.in" "${PROJECT_BINARY_DIR}/onwardConfig.cmake"
                              INSTALL_DESTINATION "${onward_package}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/onwardConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/onwardConfig.cmake" "${PROJECT_BINARY_DIR}/onwardConfigVersion.cmake"
        DESTINATION "${onward_package}")

file(RELATIVE_PATH onward_pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" onward_pc_to_prefix "${onward_pc_to_prefix}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/onward.pc.in" "${PROJECT_BINARY_DIR}/onward.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/onward.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
