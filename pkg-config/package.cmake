# CPack: .deb and .rpm with binary, man page, pkg-config file, systemd unit and documentation.
# The version is the project's; times are SOURCE_DATE_EPOCH's, so that packages repeat to the byte.
set(docdir ${CMAKE_INSTALL_DATADIR}/doc/imds-guard)
install(FILES README.md SECURITY.md DESTINATION ${docdir})
install(FILES LICENSE DESTINATION ${docdir} RENAME copyright)
install(FILES examples/10-aws.conflist examples/audit.json examples/exempt.json
    examples/daemonset.yaml examples/README.md DESTINATION ${docdir}/examples)
install(FILES examples/imds-guard.service DESTINATION lib/systemd/system)

set(CPACK_PACKAGE_NAME imds-guard)
set(CPACK_PACKAGE_VENDOR "the imds-guard authors")
set(CPACK_PACKAGE_CONTACT "the imds-guard authors <imds-guard@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "A plugin for the CNI chain of Kubernetes nodes on EC2. For every pod it installs a rule on the
node that drops what the pod sends to the instance metadata service, over IPv4 and IPv6, whatever
other rules the node has. The same program installs itself into the chain, repairs, and shows what
it has dropped.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB RPM)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE GPL-2.0-or-later)
set(CPACK_RPM_PACKAGE_AUTOREQ OFF)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /opt /opt/cni /opt/cni/bin /usr/lib/systemd /usr/lib/systemd/system
    /usr/share/man /usr/share/man/man8 /usr/share/pkgconfig)
set(CPACK_RPM_SPEC_MORE_DEFINE
    "%define _buildhost reproducible\n%define use_source_date_epoch_as_buildtime 1\n\
%define clamp_mtime_to_source_date_epoch 1\n%define _build_id_links none\n%global __os_install_post %{nil}")
if(IMDS_GUARD_ARCH STREQUAL "arm64")
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
    set(CPACK_RPM_PACKAGE_ARCHITECTURE aarch64)
endif()
include(CPack)
