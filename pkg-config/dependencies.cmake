# The one place where dependencies are found, each through pkg-config and nothing else.
find_package(PkgConfig REQUIRED)
if(IMDS_GUARD_STATIC)
    # Here, because what a toolchain file says of it, the platform's own files overwrite.
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson>=1.7.14)
pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl>=1.0.4)
pkg_check_modules(IP4TC REQUIRED IMPORTED_TARGET libip4tc>=1.8.0)
pkg_check_modules(IP6TC REQUIRED IMPORTED_TARGET libip6tc>=1.8.0)
if(BUILD_TESTING)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
