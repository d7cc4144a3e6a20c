#!/bin/sh
# Builds the native part: `build.sh` for dist/warp-init, `build.sh test` for the binaries that only tests use.
set -eu
cd "$(dirname "$0")"
out=../../dist
mkdir -p "$out"

sources='main.c supervise.c brain.c app.c link.c frames.c plain.c signals.c terminal.c process.c'
warnings='-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-vla -Werror'
hardening='-fstack-protector-strong -D_FORTIFY_SOURCE=2'
size='-Os -ffunction-sections -fdata-sections -Wl,--gc-sections -s'

missing() {
	echo "Cannot build src/pid1: $1. Install it: $2" >&2
	exit 1
}

build_release() {
	# musl makes the smallest static binary; glibc's works as well and is ten times the size.
	if command -v musl-gcc >/dev/null; then
		compiler=musl-gcc
	elif command -v "${CC:-cc}" >/dev/null; then
		compiler=${CC:-cc}
	else
		missing 'there is no C compiler' 'apt-get install musl-tools (or gcc libc6-dev)'
	fi
	# shellcheck disable=SC2086 # The variables are lists of words.
	$compiler $warnings $hardening $size -static -o "$out/warp-init.new" $sources
	mv "$out/warp-init.new" "$out/warp-init"
}

build_test() {
	compiler=${CC:-cc}
	command -v "$compiler" >/dev/null || missing 'there is no C compiler' 'apt-get install gcc libc6-dev'
	mkdir -p "$out/test"
	sanitizers='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
	# shellcheck disable=SC2086
	$compiler $warnings $sanitizers -o "$out/test/warp-init" $sources
	ln -sf ../warp-init.cjs "$out/test/warp-init.cjs"
	# shellcheck disable=SC2086
	$compiler $warnings $sanitizers -I. -o "$out/test/fuzz-frames" ../../test/pid1/fuzz-frames.c frames.c
	# Programs for tests to run, without sanitizers: they are to behave as any program does.
	for program in ../../fixtures/programs/*.c; do
		# shellcheck disable=SC2086
		$compiler $warnings -O1 -o "$out/test/$(basename "$program" .c)" "$program"
	done
}

case "${1:-release}" in
release) build_release ;;
test) build_test ;;
*) missing "unknown target $1" 'use release or test' ;;
esac
