#!/usr/bin/env bash
# Prints an SPDX 2.3 list (JSON) of what is linked into a static binary.
#
#   pkg-config/sbom.sh BINARY SOURCES VERSION
#
# SOURCES is the table that static-deps.sh leaves: name, version, licence. Time is SOURCE_DATE_EPOCH.
set -euo pipefail

binary=$1 sources=$2 version=$3
digest=$(sha256sum "$binary" | cut -d' ' -f1)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)

sort "$sources" | jq -R 'split("\t") | {name: .[0], version: .[1], license: .[2]}' |
    jq -s --arg version "$version" --arg digest "$digest" --arg created "$created" \
        --arg file "$(basename "$binary")" '
    def package(id; license): {
        SPDXID: id, name, versionInfo: .version, downloadLocation: "NOASSERTION",
        filesAnalyzed: false, licenseConcluded: license, licenseDeclared: license,
        copyrightText: "NOASSERTION"};
    {
        spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
        name: $file, documentNamespace: ("urn:imds-guard:" + $digest),
        creationInfo: {created: $created, creators: ["Tool: imds-guard sbom.sh"]},
        packages: ([
            ({name: "imds-guard", version: $version}
                | package("SPDXRef-imds-guard"; "GPL-2.0-or-later")
                | . + {checksums: [{algorithm: "SHA256", checksumValue: $digest}],
                       packageFileName: $file})
        ] + map(package("SPDXRef-" + .name; .license))),
        relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES",
                          relatedSpdxElement: "SPDXRef-imds-guard"}]
            + map({spdxElementId: "SPDXRef-imds-guard", relationshipType: "STATIC_LINK",
                   relatedSpdxElement: ("SPDXRef-" + .name)}))
    }'
