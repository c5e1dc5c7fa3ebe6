# Toolchain of the presets `static` and `static-arm64`: the compiler of the architecture, and only the
# archives that static-deps.sh has made (IMDS_GUARD_STATIC_DEPS) and the distribution's own.
if(NOT IMDS_GUARD_ARCH)
    execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE IMDS_GUARD_ARCH
        OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES IMDS_GUARD_ARCH)

if(IMDS_GUARD_ARCH STREQUAL "amd64")
    set(triplet x86_64-linux-gnu)
    set(CMAKE_SYSTEM_PROCESSOR x86_64)
elseif(IMDS_GUARD_ARCH STREQUAL "arm64")
    set(triplet aarch64-linux-gnu)
    set(CMAKE_SYSTEM_PROCESSOR aarch64)
else()
    message(FATAL_ERROR "no such architecture here: ${IMDS_GUARD_ARCH} (amd64 and arm64 are known)")
endif()

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_STRIP ${triplet}-strip)
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})

if(DEFINED ENV{IMDS_GUARD_STATIC_DEPS})
    set(deps $ENV{IMDS_GUARD_STATIC_DEPS}/${IMDS_GUARD_ARCH})
else()
    set(deps /opt/imds-guard-static/${IMDS_GUARD_ARCH})
endif()
set(ENV{PKG_CONFIG_LIBDIR}
    "${deps}/lib/pkgconfig:/usr/lib/${triplet}/pkgconfig:/usr/share/pkgconfig")
