# A virtual machine with a kernel, a root and the tests in it, from power on to power off. Sourced.
#
#   machine_make DIR KERNEL ROOT ARCH    puts into DIR what machine_boot needs: a disk of its own, kept
#                                        from one boot of it to the next, and an initrd
#   machine_boot DIR ARCH WORDS          boots it; WORDS are for the kernel and for guest/init. Leaves
#                                        boot.log (the console) and report (guest/checks.bash) in DIR
#
# KERNEL and ROOT are of packages.bash. The tests come from this tree, the binary is $binary with $libraries,
# cnitool $cnitool, the programs of a dataplane (../../fixtures/dataplane.c) $dataplane. The machine has no
# network card: what it sends stays in it. It does not outlive the script that boots it.

# Only a machine that hangs takes as long.
machine_seconds=7200

# What the tests have nothing to do with and wait for most: a namespace that is made or removed waits for
# every processor to have passed by, rule sets do. And what is translated for the emulator of a program lasts to
# its next start only where that finds the same addresses.
machine_quick='mitigations=off audit=0 apparmor=0 init_on_alloc=0 rcupdate.rcu_expedited=1 no_timer_check norandmaps'

machine_make() { # DIR KERNEL ROOT ARCH
    mkdir -p "$1"
    cp --sparse=always "$3" "$1/disk"
    {
        machine_archive "$2/initrd"
        machine_files "$1/files" "$3"
        machine_archive "$1/files"
    } >"$1/initrd"
    rm -rf "$1/files"
    ln -sfn "$2/image" "$1/image"
}

# The kernel takes several archives one after the other for one.
machine_archive() { # DIR
    (cd "$1" && find . | cpio --quiet --create --format=newc --owner=+0:+0)
}

# What is not of the kernel's packages: the first program, and the tests, where the root will see them.
machine_files() { # DIR ROOT
    mkdir -p "$1/bin" "$1/imds-guard/lib" "$1/imds-guard/test-netns/kernels"
    cp "$2.busybox" "$1/bin/busybox"
    cp "$here/guest/init" "$1/init"
    cp -r "$here/guest" "$1/imds-guard/test-netns/kernels/"
    cp -r "$here"/../{lib,fixtures,world,compare.sh,*.bats} "$1/imds-guard/test-netns/"
    cp "$binary" "$1/imds-guard/imds-guard"
    cp "$cnitool" "$1/imds-guard/cnitool"
    cp "$dataplane" "$1/imds-guard/dataplane.o"
    # shellcheck disable=SC2086 # words
    [ -z "$libraries" ] || cp $libraries "$1/imds-guard/lib/"
}

machine_boot() { # DIR ARCH WORDS
    local emulator console options=()
    case $2 in
    amd64)
        emulator=qemu-system-x86_64 console=ttyS0
        # No more than a packet filter wants: what emulates a processor is slower, the more that has.
        options=(-machine q35 -cpu Nehalem)
        ;;
    arm64)
        emulator=qemu-system-aarch64 console=ttyAMA0
        options=(-machine virt -cpu neoverse-n1)
        ;;
    esac
    # shellcheck disable=SC2207 # words
    options+=($(machine_accelerator "$2"))
    : >"$1/report"
    # Whoever waits for the machine may be killed without a chance to clean up: it goes with him.
    setpriv --pdeathsig TERM timeout --kill-after=10 "$machine_seconds" \
        setpriv --pdeathsig KILL "$emulator" "${options[@]}" -m 1024 -smp 1 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$1/image" -initrd "$1/initrd" \
        -append "console=$console panic=-1 $machine_quick $3" \
        -chardev "file,id=console,path=$1/boot.log" -serial chardev:console \
        -drive "file=$1/disk,if=none,id=disk,format=raw,cache=unsafe" -device virtio-blk-pci,drive=disk \
        -device virtio-serial-pci -chardev "file,id=report,path=$1/report" \
        -device virtserialport,chardev=report,name=report </dev/null
}

# KVM where the processor has it; a /dev/kvm that rests on anything else boots no kernel as it is.
machine_accelerator() { # ARCH
    if [ "$(dpkg --print-architecture)" = "$1" ] && [ -w /dev/kvm ] &&
        { [ "$1" != amd64 ] || grep -q -w -E 'vmx|svm' /proc/cpuinfo; }; then
        echo -accel kvm -cpu host
    else
        echo -accel tcg
    fi
}
