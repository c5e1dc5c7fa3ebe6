# CPack: .deb and .rpm with binary, man page, pkg-config file, systemd unit and documentation.
# The version is the project's; times are SOURCE_DATE_EPOCH's, so that packages repeat to the byte.
set(docdir ${CMAKE_INSTALL_DATADIR}/doc/imds-guard)
install(FILES README.md SECURITY.md pkg-config/debian/copyright DESTINATION ${docdir})
install(FILES LICENSE DESTINATION ${docdir} COMPONENT licence)
install(DIRECTORY examples/cluster examples/conflists examples/node DESTINATION ${docdir}/examples
    PATTERN imds-guard.service EXCLUDE)
install(FILES examples/README.md DESTINATION ${docdir}/examples)
install(FILES examples/node/imds-guard.service DESTINATION lib/systemd/system)

# FILE, without its time and name, as <name>.gz into DESTINATION; further arguments are install()'s.
function(install_compressed file destination)
    get_filename_component(name ${file} NAME)
    set(compressed ${PROJECT_BINARY_DIR}/${name}.gz)
    add_custom_command(OUTPUT ${compressed} DEPENDS ${file}
        COMMAND gzip -9nc ${file} > ${compressed} VERBATIM)
    add_custom_target(compress-${name} ALL DEPENDS ${compressed})
    install(FILES ${compressed} DESTINATION ${destination} ${ARGN})
endfunction()

install_compressed(${PROJECT_SOURCE_DIR}/plugin/imds-guard.8 ${CMAKE_INSTALL_MANDIR}/man8)

set(CPACK_PACKAGE_NAME imds-guard)
set(CPACK_PACKAGE_VENDOR "the imds-guard authors")
set(CPACK_PACKAGE_CONTACT "the imds-guard authors <imds-guard@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "A plugin for the CNI chain of Kubernetes nodes on EC2. For every pod it
installs a rule on the node that drops what the pod sends to the instance
metadata service, over IPv4 and IPv6, whatever other rules the node has. The
same program installs itself into the chain, repairs, and shows what it has
dropped.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_PACKAGE_RELOCATABLE OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB RPM)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/pkg-config/package-contents.cmake)

# Component `debian`, which only the .deb has. SOURCE_DATE_EPOCH is heeded by string(TIMESTAMP).
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(pkg-config/debian/changelog.in changelog @ONLY)
install_compressed(${PROJECT_BINARY_DIR}/changelog ${docdir} COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES pkg-config/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
    RENAME imds-guard COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE GPL-2.0-or-later)
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_PACKAGE_AUTOREQ OFF)
# Else CPack takes what is installed to an absolute path for a file of settings (%config), which an
# upgrade may leave as it is.
set(CPACK_RPM_USER_FILELIST "%attr(0755, root, root) ${IMDS_GUARD_PLUGINDIR}/imds-guard")
string(TIMESTAMP date "%a %b %d %Y" UTC)
configure_file(pkg-config/rpm/changelog.in rpm-changelog @ONLY)
set(CPACK_RPM_CHANGELOG_FILE ${PROJECT_BINARY_DIR}/rpm-changelog)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /opt /opt/cni /opt/cni/bin /usr/lib/systemd /usr/lib/systemd/system
    /usr/share/man /usr/share/man/man8 /usr/share/pkgconfig)
set(CPACK_RPM_SPEC_MORE_DEFINE
    "%define _buildhost reproducible\n%define use_source_date_epoch_as_buildtime 1\n\
%define build_mtime_policy clamp_to_source_date_epoch\n%define _build_id_links none\n%global __os_install_post %{nil}")
if(IMDS_GUARD_ARCH STREQUAL "arm64")
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
    set(CPACK_RPM_PACKAGE_ARCHITECTURE aarch64)
endif()
include(CPack)
