#!/usr/bin/env bash
# Checks that `make demo` and `make test` do all their setup on a bare Debian: a fresh debootstrap with Python, make, git
# and ca-certificates, and nothing else. Needs root, debootstrap and the network. Takes about 15 minutes.
#   tests/bare_machine.sh [SUITE] [demo|test ...]      default: bookworm demo test
set -euo pipefail

suite=${1:-bookworm}
shift || true
targets=${*:-demo test}
repository=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d /var/tmp/stillframe-bare-XXXXXX)
chmod 755 "$root"

say() { printf 'bare machine: %s\n' "$*" >&2; }
clean_up() {
    # The unmount is lazy, because a browser that was started inside may still be shutting down.
    for path in dev/shm dev proc; do mountpoint -q "$root/$path" && umount -l "$root/$path"; done
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT

say "debootstrap of $suite"
debootstrap --variant=minbase --include=python3,make,git,ca-certificates "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >/dev/null
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
# A network with its own certificate authority needs the certificate inside as well.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
git clone --quiet --no-local "$repository" "$root/srv/stillframe"

inside() {
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        PIP_CERT=/etc/ssl/certs/ca-certificates.crt CI="${CI:-}" bash -c "cd ${DIRECTORY:-/srv/stillframe} && $1"
}
as_user() {
    chroot "$root" runuser -u visitor -- /usr/bin/env -i HOME=/home/visitor PATH=/usr/bin:/bin LANG=C.UTF-8 \
        PIP_CERT=/etc/ssl/certs/ca-certificates.crt bash -c "cd ~/stillframe && $1"
}
# Seconds from the start of a command to the first output line that matches.
seconds_to() {
    local pattern=$1 started=$EPOCHREALTIME
    shift
    "$@" 2>&1 | {
        while IFS= read -r line; do
            [[ $line =~ $pattern ]] && awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", b - a }' && break
        done
        cat >/dev/null
    }
}

say "an ordinary user without venv and browser gets one clear error line"
inside "useradd --create-home visitor"
git clone --quiet --no-local "$repository" "$root/home/visitor/stillframe"
inside "chown -R visitor: /home/visitor"
refusal=$(as_user "make demo" 2>&1 || true)
grep -q "setup: .*sudo apt-get install python3-venv" <<<"$refusal" || { say "no clear error line: $refusal"; exit 1; }
say "  $(grep setup: <<<"$refusal")"

for target in $targets; do
    say "root: make $target, with the complete setup"
    started=$SECONDS
    inside "make $target" || { say "make $target failed"; exit 1; }
    say "root: make $target took $((SECONDS - started)) s"
done

# The first output line after all setup checks.
for target in $targets; do
    case $target in
        demo) seconds=$(seconds_to "Serving the bundled site" inside "make demo") ;;
        *) seconds=$(seconds_to "tests collected" inside "make $target ARGS='--collect-only'") ;;
    esac
    say "root: the second make $target started in $seconds s"
    awk -v s="${seconds:-99}" 'BEGIN { exit !(s < 5) }' || { say "it took 5 s or longer to start"; exit 1; }
done

say "an ordinary user with a browser: make demo"
as_user "make demo" >"$root/demo.out" || { say "the user's make demo failed"; exit 1; }
grep -q "Gallery:" "$root/demo.out"
say "passed"
