"""The shell scripts behind `clusternas.core.files`.

They need a POSIX shell and coreutils, from EL5 to today, and no Python. Each is called as
`sh -c SCRIPT OPERATION ARGUMENT…`. What it prints and exits with is described beside it, so that a
fake node can answer without running it.
"""

from __future__ import annotations

__all__ = ["GLOB", "MAKE_DIR", "READ", "REMOVE", "STAT", "SYMLINK", "WRITE"]

# Exit codes after sysexits.h: 65 it is not a regular file, 66 there is no such directory,
# 74 reading or writing failed, 75 it is not what was expected.
COMMON = r"""
set -u
fail() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }
digest() {
    if [ -f "$1" ]; then sum=$(sha256sum <"$1") && echo "${sum%% *}"
    elif [ -e "$1" ]; then fail 65 "$1: not a regular file"
    else echo absent; fi
}
expected() {
    now=$(digest "$1") || exit
    [ "$2" = any ] || [ "$2" = "$now" ] || fail 75 "$1 changed since it was read"
}
settle() {  # the owner first: chown clears set-user-id bits
    [ -z "$owner$group" ] || chown -- "$owner${group:+:$group}" "$1" || exit 74
    [ -z "$mode" ] || chmod -- "$mode" "$1" || exit 74
}
settled() {
    set -- $(stat -c '%a %U %u %G %g' -- "$1")
    case " $2 $3 " in *" ${owner:-$2} "*) ;; *) return 1 ;; esac
    case " $4 $5 " in *" ${group:-$4} "*) ;; *) return 1 ;; esac
    [ "${mode:-$1}" = "$1" ]
}
missing() {  # true if it does not exist; fails if nobody can say
    [ ! -e "$1" ] || return 1
    why=$(ls -dL -- "$1" 2>&1 >/dev/null)
    case $why in
        *'No such file or directory'*) ;;
        *) fail 74 "$why" ;;
    esac
}
"""

# Input: lines `= PATH` and `* PATTERN`. Output per file: a line `file SIZE MODE UID GID USER GROUP
# PATH`, SIZE bytes, a newline; or a line `absent PATH`. Patterns give what they match.
READ = (
    COMMON
    + r"""
one() {
    if missing "$1"; then printf 'absent %s\n' "$1"; return; fi
    [ -f "$1" ] || fail 65 "$1: not a regular file"
    about=$(stat -L -c '%s %a %u %g %U %G' -- "$1") && size=${about%% *} || exit 74
    # What /proc and /sys say of a size is none.
    [ $((size % 4096)) -ne 0 ] || size=$(wc -c <"$1") || exit 74
    printf 'file %d %s %s\n' "$size" "${about#* }" "$1"
    cat <"$1" || exit 74
    echo
}
IFS=
while read -r line; do
    path=${line#??}
    case $line in
        '= '*) one "$path" ;;
        '* '*) for found in $path; do [ ! -f "$found" ] || one "$found"; done ;;
    esac
done
"""
)

# Arguments: path, digest of the input, digest expected (or `any`), mode, owner, group, `parents` or
# nothing. Input: the content. Output: `changed BEFORE` or `unchanged BEFORE`, BEFORE a digest.
WRITE = (
    COMMON
    + r"""
umask 077
digest=$2 expect=$3 mode=$4 owner=$5 group=$6 temporary=
[ "$7" != parents ] || (umask 022; mkdir -p -- "$(dirname -- "$1")") || exit 66
file=$(readlink -f -- "$1") && [ -n "$file" ] || fail 66 "$1: no such directory"
expected "$file" "$expect"
before=$now
if [ "$before" = "$digest" ]; then
    cat >/dev/null
    if settled "$file"; then echo "unchanged $before"; exit; fi
    settle "$file"
    echo "changed $before"
    exit
fi
trap 'code=$?; [ -z "$temporary" ] || rm -f -- "$temporary"; exit "$code"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
temporary=$(dirname -- "$file")/.clusternas.$$.tmp
(set -C; : >"$temporary") || { temporary=; exit 74; }
if [ "$before" = absent ]; then
    mode=${mode:-644}
else
    cp -a -- "$file" "$temporary" || exit 74  # also ACLs, SELinux context, attributes
    set -- $(stat -c '%a %u %g' -- "$file")
    mode=${mode:-$1} owner=${owner:-$2} group=${group:-$3}
fi
said=$(dd of="$temporary" bs=65536 conv=fsync 2>&1) || fail 74 "$said"
[ "$(digest "$temporary")" = "$digest" ] || fail 74 "$file: the input was cut, nothing was written"
settle "$temporary"
[ "$expect" = any ] || expected "$file" "$expect"
mv -f -- "$temporary" "$file" || exit 74
temporary=
echo "changed $before"
"""
)

# Arguments: path, digest expected (or `any`). Output as WRITE.
REMOVE = (
    COMMON
    + r"""
if [ -L "$1" ] && [ "$2" = any ]; then
    rm -f -- "$1" || exit 74
    echo "changed absent"
elif [ -L "$1" ] || ! missing "$1"; then
    expected "$1" "$2"
    rm -f -- "$1" || exit 74
    echo "changed $now"
else
    expected "$1" "$2"
    echo "unchanged absent"
fi
"""
)

# Arguments: path, mode, owner, group, `parents` or nothing. Output: `changed` or `unchanged`.
MAKE_DIR = (
    COMMON
    + r"""
mode=$2 owner=$3 group=$4
if [ -d "$1" ]; then
    if settled "$1"; then echo unchanged; exit; fi
else
    umask 022
    if [ "$5" = parents ]; then mkdir -p -- "$1"; else mkdir -- "$1"; fi || exit 74
fi
settle "$1"
echo changed
"""
)

# Arguments: path of the link, what it points to. Output: `changed` or `unchanged`.
SYMLINK = (
    COMMON
    + r"""
if [ -L "$1" ]; then
    if [ "$(readlink -- "$1")" = "$2" ]; then echo unchanged; exit; fi
elif [ -e "$1" ]; then
    fail 65 "$1: it exists and is not a symbolic link"
fi
ln -sfn -- "$2" "$1" || exit 74
echo changed
"""
)

# Argument: path. Output: a line `RAWMODE(hex) SIZE UID GID USER GROUP LINKTARGET`, or `absent`.
STAT = (
    COMMON
    + r"""
if [ ! -L "$1" ] && missing "$1"; then echo absent; exit; fi
about=$(stat -c '%f %s %u %g %U %G' -- "$1") || exit 74
printf '%s %s\n' "$about" "$(readlink -- "$1")"
"""
)

# Arguments: patterns. Output: the paths they match, each ended by a NUL.
GLOB = r"""
IFS=
for pattern; do
    for found in $pattern; do
        if [ -e "$found" ] || [ -L "$found" ]; then printf '%s\0' "$found"; fi
    done
done
"""
