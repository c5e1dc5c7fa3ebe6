# Packages of any release and processor, asked for with apt: nothing is installed, no maintainer script is
# run, and the machine's own apt configuration is read, never written. Sourced.
#
#   apt_of SUITE ARCH COMMAND...   runs apt-get, apt-cache or the like; SUITE is debian/CODENAME or
#                                    ubuntu/CODENAME
#   sources_of SUITE ARCH            the lines of a sources.list
#
# The mirrors are the machine's own, else those that debootstrap knows. Lists are had once and kept below
# $cache/apt.

# The mirror that this machine's apt uses for what calls itself LABEL.
mirror_of_machine() { # LABEL
    # shellcheck disable=SC2016 # apt expands it
    apt-get indextargets --format '$(REPO_URI)' "Label: $1" 'Created-By: Packages' 2>/dev/null |
        head -n 1
}

mirror_debian() {
    local mirror
    mirror=$(mirror_of_machine Debian)
    [ -n "$mirror" ] || mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(type -P debootstrap)")
    echo "${mirror%/}"
}

mirror_debian_security() {
    local mirror
    mirror=$(mirror_of_machine Debian-Security)
    [ -n "$mirror" ] || mirror=$(mirror_debian)-security
    echo "${mirror%/}"
}

mirror_ubuntu() { # ARCH
    local mirror=''
    [ "$1" != "$(dpkg --print-architecture)" ] || mirror=$(mirror_of_machine Ubuntu)
    # debootstrap's table is a shell script that sets what it knows by SUITE and ARCH.
    # shellcheck disable=SC2016 # expanded by the inner shell
    [ -n "$mirror" ] || mirror=$(SUITE=jammy ARCH=$1 bash -c '
        default_mirror() { echo "$1"; }
        mirror_style() { exit; }
        . /usr/share/debootstrap/scripts/jammy')
    echo "${mirror%/}"
}

# The keys that Ubuntu signs with are in a package of Debian's, too.
keys_of_ubuntu() {
    local keys=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    if [ ! -e "$keys" ]; then
        keys=$cache/keys$keys
        [ -e "$keys" ] || (
            mkdir -p "$cache/keys"
            cd "$cache/keys"
            apt_of debian/trixie amd64 apt-get download ubuntu-keyring >&2
            dpkg-deb --extract ubuntu-keyring_*.deb .
        ) || return 1
    fi
    echo "$keys"
}

# The lines of a sources.list.
sources_of() { # SUITE ARCH
    local codename=${1#*/} keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
    case $1 in
    ubuntu/*)
        keys=$(keys_of_ubuntu) && mirror=$(mirror_ubuntu "$2") || return 1
        printf "deb [arch=$2 signed-by=$keys] $mirror %s main universe\n" "$codename" "$codename-updates"
        ;;
    *)
        echo "deb [arch=$2 signed-by=$keys] $(mirror_debian) $codename main"
        [[ $codename == *-backports ]] ||
            echo "deb [arch=$2 signed-by=$keys] $(mirror_debian_security) $codename-security main"
        ;;
    esac
}

# Runs COMMAND with an apt configuration that knows one suite, and nothing of what is installed here. Lists
# are signed; how old they may be is the mirror's business, which may be a snapshot.
apt_of() { # SUITE ARCH COMMAND...
    local dir=$cache/apt/${1/\//-}-$2 suite=$1 arch=$2
    shift 2
    if [ ! -e "$dir/complete" ]; then
        mkdir -p "$dir"/{lists,cache/archives}/partial "$dir/none"
        sources_of "$suite" "$arch" >"$dir/sources.list" || return 1
        : >"$dir/status"
        cat >"$dir/apt.conf" <<END
Dir::Etc "$dir";
Dir::Etc::Parts "none";
Dir::Etc::SourceParts "none";
Dir::Etc::Preferences "none/preferences";
Dir::Etc::PreferencesParts "none";
Dir::State "$dir";
Dir::State::Status "$dir/status";
Dir::Cache "$dir/cache";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
APT::Architecture "$arch";
APT::Architectures "$arch";
APT::Sandbox::User "root";
END
        APT_CONFIG=$dir/apt.conf apt-get --quiet=2 update >&2 || return 1
        touch "$dir/complete"
    fi
    APT_CONFIG=$dir/apt.conf "$@"
}
