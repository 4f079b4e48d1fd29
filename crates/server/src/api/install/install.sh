#!/bin/sh
# Installs Lazaret's agent and makes this machine a host of @SERVER@.
#
# A package of this machine's own sources goes first; else the programs come from the server that this
# script is from, each compared with the SHA-256 sum that stands below. It can run again: what is there
# stays or is brought up to date, and a host that is enrolled stays the one it is. What it had begun when
# something fails is undone.
set -eu

server='@SERVER@'
from='@FROM@'
authority='@AUTHORITY@'
token='@TOKEN@'
# NAME SUM, one a line; none: the server gives out no programs.
files='@FILES@'
machine='@MACHINE@'

sbin=/usr/local/sbin
bin=/usr/local/bin
lib=/usr/local/lib/lazaret
share=/usr/local/share/lazaret
etc=/etc/lazaret
state=/var/lib/lazaret

die() {
    echo "lazaret: $*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || die "run this as root"
umask 022
work=$(mktemp -d)
: >"$work/done"
ended=no

# The other way round: what came last goes first.
undo() {
    sed '1!G;h;$!d' "$work/done" | while read -r what number path; do
        case $what in
            kept) mv -f "$work/kept.$number" "$path" ;;
            new) rm -f "$path" ;;
            folder) rmdir "$path" 2>/dev/null || true ;;
        esac
    done
}

finish() {
    status=$?
    trap - EXIT HUP INT TERM
    if [ "$ended" = no ] && [ -s "$work/done" ]; then
        undo
        echo "lazaret: not installed; what was begun is undone" >&2
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The server's authority, for a connection that it vouches for; empty: those that this machine trusts.
ca=''
@CA@

# get URL FILE
get() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsS ${ca:+--cacert "$ca"} -o "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q ${ca:+--ca-certificate="$ca"} -O "$2" "$1"
    else
        die "neither curl nor wget is here: install one of them"
    fi
}

folder() {
    [ -d "$1" ] && return
    folder "$(dirname "$1")"
    mkdir "$1"
    echo "folder - $1" >>"$work/done"
}

# put FILE PLACE MODE: whole or not at all, also while the old one runs.
number=0
put() {
    folder "$(dirname "$2")"
    number=$((number + 1))
    if [ -e "$2" ]; then
        cp -p "$2" "$work/kept.$number"
        echo "kept $number $2" >>"$work/done"
    else
        echo "new - $2" >>"$work/done"
    fi
    cp "$1" "$2.lazaret-new"
    chown 0:0 "$2.lazaret-new"
    chmod "$3" "$2.lazaret-new"
    mv -f "$2.lazaret-new" "$2"
}

from_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        apt-cache show lazaret >/dev/null 2>&1 && apt-get install -y lazaret
    elif command -v dnf >/dev/null 2>&1; then
        dnf -q info lazaret >/dev/null 2>&1 && dnf install -y lazaret
    elif command -v yum >/dev/null 2>&1; then
        yum -q info lazaret >/dev/null 2>&1 && yum install -y lazaret
    elif command -v zypper >/dev/null 2>&1; then
        zypper -q --non-interactive info lazaret 2>/dev/null | grep -q '^Version' &&
            zypper --non-interactive install lazaret
    else
        false
    fi
}

# The programs, with their configuration and their unit, below /usr/local and /etc.
from_server() {
    [ "$(uname -m)" = "$machine" ] ||
        die "the server's programs are for $machine, this machine is $(uname -m): install the package lazaret"
    echo "$files" >"$work/files"
    while read -r name sum; do
        echo "lazaret: $from/install/files/$name"
        get "$from/install/files/$name" "$work/$name"
        echo "$sum  $work/$name" | sha256sum -c - >/dev/null 2>&1 ||
            die "$name is not what this script names (its SHA-256 sum is another): nothing is installed"
    done <"$work/files"
    put "$work/lazaretd" "$sbin/lazaretd" 755
    put "$work/lazaret" "$bin/lazaret" 755
    put "$work/lazaret-scanner" "$lib/lazaret-scanner" 755
    put "$work/lazaret.pack" "$share/content.pack" 644
    "$sbin/lazaretd" --version >/dev/null ||
        die "the server's programs do not run on this machine: install the package lazaret"
    if [ ! -e "$etc/lazaretd.toml" ]; then
        cat >"$work/lazaretd.toml" <<'LAZARET_END'
@CONFIG@
LAZARET_END
        put "$work/lazaretd.toml" "$etc/lazaretd.toml" 640
    fi
    if command -v systemd-sysusers >/dev/null 2>&1; then
        cat >"$work/sysusers" <<'LAZARET_END'
@SYSUSERS@
LAZARET_END
        put "$work/sysusers" /etc/sysusers.d/lazaret.conf 644
    fi
    if [ -d /run/systemd/system ]; then
        cat >"$work/unit" <<'LAZARET_END'
@UNIT@
LAZARET_END
        put "$work/unit" /etc/systemd/system/lazaretd.service 644
        cat >"$work/tmpfiles" <<'LAZARET_END'
@TMPFILES@
LAZARET_END
        put "$work/tmpfiles" /etc/tmpfiles.d/lazaret.conf 644
    fi
}

lazaretd=$(command -v lazaretd || true)
if [ -z "$lazaretd" ] || [ "$lazaretd" = "$sbin/lazaretd" ]; then
    if from_packages; then
        lazaretd=$(command -v lazaretd)
    elif [ -n "$files" ]; then
        from_server
        lazaretd=$sbin/lazaretd
    elif [ -z "$lazaretd" ]; then
        die "no package source of this machine has lazaret, and the server gives out no programs ([install] programs in its configuration): install the package, then run this again"
    fi
fi

if [ -e "$state/uplink/identity.toml" ]; then
    echo "lazaret: this machine is a host already; lazaretd enroll --again would make it one anew"
else
    "$lazaretd" enroll --server "$server" --token "$token" --ca-fingerprint "$authority"
fi
ended=yes

# What could not be undone comes last.
if [ -e /etc/sysusers.d/lazaret.conf ]; then
    systemd-sysusers /etc/sysusers.d/lazaret.conf || echo "lazaret: the group lazaret was not made" >&2
fi
if [ -d /run/systemd/system ]; then
    [ ! -e /etc/tmpfiles.d/lazaret.conf ] || systemd-tmpfiles --create /etc/tmpfiles.d/lazaret.conf || true
    systemctl daemon-reload
    systemctl enable lazaretd
    systemctl restart lazaretd || die "installed and enrolled, but it does not start: journalctl -u lazaretd"
    echo "lazaret: $lazaretd runs"
else
    echo "lazaret: installed and enrolled. There is no systemd here to start it; it runs as: $lazaretd --config $etc/lazaretd.toml"
fi
