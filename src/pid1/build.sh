#!/bin/sh
# Builds the native part, into dist/ or $WARP_INIT_OUT:
#
#   build.sh            warp-init for this machine, and warp-init-{x64,arm64} as far as there are compilers for them
#   build.sh package    fails, and says what to install, unless both are there: the npm package carries both
#   build.sh test       the binaries that only tests use
set -eu
cd "$(dirname "$0")"
out=${WARP_INIT_OUT:-../../dist}
mkdir -p "$out"
scratch=$(mktemp -d "$out/build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

sources='*.c'
warnings='-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-vla -Werror'
hardening='-fstack-protector-strong -D_FORTIFY_SOURCE=2'
size='-Os -ffunction-sections -fdata-sections -Wl,--gc-sections -s'

case $(uname -m) in
x86_64 | amd64) here=x64 ;;
aarch64 | arm64) here=arm64 ;;
*) here=other ;;
esac

missing() {
	echo "Cannot build src/pid1: $1. Install it: $2" >&2
	exit 1
}

# The first of the compilers that makes a static program.
find_compiler() {
	for compiler in "$@"; do
		if echo 'int main(void) { return 0; }' | $compiler -x c -static -o "$scratch/probe" - 2>/dev/null; then
			echo "$compiler"
			return
		fi
	done
	return 1
}

# musl makes the smallest static binary; glibc's works as well and is ten times the size.
find_compiler_for() {
	case $1 in
	"$here") find_compiler musl-gcc "${CC:-cc}" ;;
	x64) find_compiler x86_64-linux-musl-gcc x86_64-linux-gnu-gcc ;;
	arm64) find_compiler aarch64-linux-musl-gcc aarch64-linux-gnu-gcc ;;
	esac
}

packages_for() {
	case $1 in
	"$here") echo 'apt-get install musl-tools (or gcc libc6-dev)' ;;
	x64) echo 'dpkg --add-architecture amd64 && apt-get update && apt-get install gcc-x86-64-linux-gnu musl-dev:amd64 (or libc6-dev-amd64-cross)' ;;
	arm64) echo 'dpkg --add-architecture arm64 && apt-get update && apt-get install gcc-aarch64-linux-gnu musl-dev:arm64 (or libc6-dev-arm64-cross)' ;;
	esac
}

# The object that not-dumpable.c carries, for the architecture of COMPILER. It needs no C library.
# norelro: what is made read-only would begin at a page of its own, which on arm64 is 64 kB of zeros in the file.
build_preload() {
	# shellcheck disable=SC2086 # The variables are lists of words.
	$1 $warnings -Os -fPIC -shared -nostdlib -fno-stack-protector -fno-asynchronous-unwind-tables \
		-Wl,-z,noseparate-code,-z,norelro,-z,noexecstack,--build-id=none -s -o "$scratch/preload.so" preload/preload.c
}

# compile_release COMPILER NAME. Renamed into place: another program may run the old one.
compile_release() {
	build_preload "$1"
	case $1 in
	# A static program of musl makes nothing read-only at its start, see above.
	*musl*) relro=-Wl,-z,norelro ;;
	*) relro=-Wl,-z,relro ;;
	esac
	# shellcheck disable=SC2086
	$1 $warnings $hardening $size $relro "-Wa,-I,$scratch" -static -o "$scratch/$2" $sources
	mv "$scratch/$2" "$out/$2"
}

build_release() {
	for architecture in x64 arm64; do
		if compiler=$(find_compiler_for "$architecture"); then
			compile_release "$compiler" "warp-init-$architecture"
		elif [ "$architecture" = "$here" ]; then
			missing 'there is no C compiler that links statically' "$(packages_for "$here")"
		else
			rm -f "$out/warp-init-$architecture" # An old one must not get into a package.
			echo "No compiler for $architecture: without dist/warp-init-$architecture there can be no npm package. For one: $(packages_for "$architecture")" >&2
		fi
	done
	if [ "$here" = other ]; then
		compile_release "${CC:-cc}" warp-init
	else
		cp "$out/warp-init-$here" "$scratch/warp-init"
		mv "$scratch/warp-init" "$out/warp-init"
	fi
}

check_package() {
	for architecture in x64 arm64; do
		[ -x "$out/warp-init-$architecture" ] ||
			missing "dist/warp-init-$architecture is missing, and the npm package carries both architectures" "$(packages_for "$architecture")"
	done
}

build_test() {
	compiler=${CC:-cc}
	command -v "$compiler" >/dev/null || missing 'there is no C compiler' 'apt-get install gcc libc6-dev'
	mkdir -p "$out/test"
	sanitizers='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
	build_preload "$compiler"
	# A test does not wait for half a minute.
	# shellcheck disable=SC2086
	$compiler $warnings $sanitizers -DNEXT_LAUNCH_MS=3000 "-Wa,-I,$scratch" -o "$out/test/warp-init" $sources
	ln -sf ../warp-init.cjs "$out/test/warp-init.cjs"
	build_fuzzers
	mkdir "$scratch/test"
	compile_release "$compiler" test/warp-init-glibc
	build_test_arm64
	# Programs for tests to run, without sanitizers: they are to behave as any program does.
	for program in ../../fixtures/programs/*.c; do
		# shellcheck disable=SC2086
		$compiler $warnings -O1 -o "$out/test/$(basename "$program" .c)" "$program"
	done
}

# build_fuzzer NAME FUNCTIONS SOURCE…: a target for libFuzzer, which brings its main(). FUNCTIONS of the C library get other
# names in our sources: the target has its own ones.
build_fuzzer() {
	target=$1
	renamed=
	for name in $2; do
		renamed="$renamed -D$name=pid1_$name"
	done
	shift 2
	# shellcheck disable=SC2086
	clang $warnings -Wno-missing-prototypes $sanitizers -fsanitize=fuzzer $renamed -I. \
		-o "$out/test/$target" "../../test/pid1/$target.c" "$@"
}

# gcc has no libFuzzer.
build_fuzzers() {
	rm -f "$out/test/fuzz-link" "$out/test/fuzz-options"
	if ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -x c -fsanitize=fuzzer,address,undefined -o "$scratch/probe" - 2>/dev/null; then
		echo 'No clang with its sanitizers: nothing is fuzzed. For it: apt-get install clang libclang-rt-dev' >&2
		return
	fi
	build_fuzzer fuzz-link 'poll read recv sendmsg close kill waitpid prctl nanosleep malloc exit' \
		supervise.c orders.c refusal.c link.c frames.c
	build_fuzzer fuzz-options 'main _exit getpid write send fork execve' \
		main.c plain.c refusal.c process.c brain.c messages.c link.c frames.c
}

# For qemu's user mode. AddressSanitizer does not run there; of the other an undefined act ends the program by a trap.
build_test_arm64() {
	rm -f "$out/test/fuzz-frames-arm64"
	if arm64_compiler=$(find_compiler_for arm64); then
		# shellcheck disable=SC2086
		$arm64_compiler $warnings -g -O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error -static \
			-I. -o "$out/test/fuzz-frames-arm64" ../../test/pid1/fuzz-frames.c frames.c
	fi
}

case "${1:-release}" in
release) build_release ;;
package) check_package ;;
test) build_test ;;
*) missing "unknown target $1" 'use release, package or test' ;;
esac
