# From what machines say (guest/checks.bash) to what a person reads. Sourced.
#
#   report_run DIR RUN                     keeps in DIR what one boot has said
#   report_kernel DIR NAME ARCH PACKAGE    a line for each backend; what failed, and where its log is
#   report_not_had NAME ARCH FILE          a kernel that could not be had; FILE says why
#   report_end                             fails if anything did

report_failed=0
report_tried=0

report_run() { # DIR RUN
    local log=$1/boot.log
    # A machine that did not come to its end failed, whatever it said before.
    grep -qx ended "$1/report" || echo "none $2 FAILED (the machine did not come to its end)" >>"$1/report"
    if grep -q ' FAILED' "$1/report"; then
        mkdir -p "$1/failed"
        cp "$log" "$1/failed/${2//[ =]/-}.boot.log"
        cp "$1/report" "$1/failed/${2//[ =]/-}.report"
    fi
    cat "$1/report" >>"$1/reports"
}

report_kernel() { # DIR NAME ARCH PACKAGE
    local backend count lacks failed
    report_tried=$((report_tried + 1))
    for backend in nftables iptables; do
        count=$(grep -c "^$backend .* ok\$" "$1/reports" || true)
        lacks=$(sed -n -E "s/^(none|$backend) ([^ ]+) lacks (.*)/\2 (\3)/p" "$1/reports" | sort -u | paste -s -d , | sed 's/,/, /g')
        failed=$(sed -n -E "s/^(none|$backend) (.*) FAILED.*/\2/p" "$1/reports" | paste -s -d , | sed 's/,/, /g')
        printf '%-18s %-5s  %-9s %3d hold%s%s\n' "$2" "$3" "$backend" "$count" \
            "${lacks:+; lacks: $lacks}" "${failed:+; FAILED: $failed}"
        [ -z "$failed" ] || report_failed=1
    done
    echo "                          $4"
    sed -n 's/^[^ ]* [^ ]* says: //p' "$1/reports" | sort -u
    [ -d "$1/failed" ] || return 0
    mkdir -p "$cache/failed"
    rm -rf "$cache/failed/$2-$3"
    mv "$1/failed" "$cache/failed/$2-$3"
    grep -h -A 40 ' FAILED' "$cache/failed/$2-$3"/*.report || true
    echo "its logs: $cache/failed/$2-$3"
}

report_not_had() { # NAME ARCH FILE
    printf '%-18s %-5s  not had: %s\n' "$1" "$2" "$(grep -v '^W:' "$3" | tail -n 1)"
}

report_end() { # NAMED
    # A mirror may lack one or the other; who asked for it by name wants it.
    [ "$report_tried" -ge 5 ] || [ "$1" -gt 0 ] || { echo "kernels: fewer than five were had" >&2; return 1; }
    [ "$report_tried" -gt 0 ] && [ "$report_failed" -eq 0 ]
}
