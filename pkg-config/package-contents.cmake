# Read by cpack before each generator: what of the installation goes into which package. Debian has its
# own idea of a changelog, of licence texts, and lintian; all else is the same in both.
if(CPACK_GENERATOR STREQUAL "DEB")
    set(extra debian)
else()
    set(extra licence)
endif()
list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build_dir)
set(CPACK_INSTALL_CMAKE_PROJECTS)
foreach(component Unspecified ${extra})
    list(APPEND CPACK_INSTALL_CMAKE_PROJECTS ${build_dir} imds-guard ${component} /)
endforeach()
