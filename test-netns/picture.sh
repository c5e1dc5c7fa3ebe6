#!/usr/bin/env bash
# Draws what an operator sees of a node whose pods ask for the instance metadata service, into
# examples/prometheus/status.svg: the output of `imds-guard status`, in its own colours.
#
# Needs root; wires pods in a private world (lib/world.bash) and has them ask, so every figure in it was
# counted by the kernel.
set -euo pipefail

# shellcheck source=lib/world.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib/world.bash"
world_is_entered || world_enter "$0" "$@"

asks() { # POD TIMES
    local i
    for ((i = 0; i < $2; i++)); do
        attack "$1" "$imds4" >/dev/null || true
    done
}

# Text with the escapes that status uses, to SVG: a line of text each, its colour as it begins.
to_svg() {
    awk '
        function escape(text) {
            gsub(/&/, "\\&amp;", text)
            gsub(/</, "\\&lt;", text)
            gsub(/ /, "\\&#160;", text)
            return text
        }
        {
            colour = "#d4d4d4"
            if (/^\033\[1;31m/) colour = "#ff6b6b"
            else if (/^\033\[33m/) colour = "#e5c07b"
            else if (/^\033\[2m/) colour = "#808080"
            gsub(/\033\[[0-9;]*m/, "")
            if (length($0) > width) width = length($0)
            line[NR] = sprintf("<text x=\"12\" y=\"%d\" fill=\"%s\">%s</text>", 12 + NR * 18, colour, escape($0))
        }
        END {
            printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"monospace\" font-size=\"13\">\n",
                24 + width * 7.9, 24 + NR * 18
            print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#1e1e1e\"/>"
            for (i = 1; i <= NR; i++)
                print line[i]
            print "</svg>"
        }'
}

world_start
node_new
conflist_plain regular
pod_add old shop/started-before
conflist regular '.exempt = [{namespace: "kube-system", pod: "ebs-csi-*"}]'
pod_add web shop/web-7d4b9
pod_add cart shop/cart-0
pod_add csi kube-system/ebs-csi-node-x7k2p
pod_add batch data/nightly-export
asks web 2
asks batch 7
asks old 1
reaches csi "$imds4" >/dev/null || true
{
    printf '# imds-guard status\n'
    script --quiet --return --command "nsenter --net=/run/netns/node '$IMDS_GUARD' status" /dev/null |
        tr -d '\r' || true
} | to_svg >"$world_root/examples/prometheus/status.svg"
