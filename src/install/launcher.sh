#!/bin/sh
# dist/warp-init-here of the npm package, as it is packed: becomes the binary of this machine, which lies beside it.
# exec keeps the process id: what is started as PID 1 stays PID 1.
#
# The package's postinstall.js puts that binary itself in this place, so that no shell comes first. npm 12 runs no
# such scripts unless it is told to; `warp-init warm` then does the same.
set -eu

refuse() {
	echo "warp-init: Cannot run on this machine: $1" >&2
	exit 70
}

# What stands in PATH is a symbolic link to this file.
self=$0
while [ -L "$self" ]; do
	target=$(readlink "$self") || refuse 'there is no readlink. Use the path of a binary, dist/warp-init-x64 or -arm64 of the package.'
	case $target in
	/*) self=$target ;;
	*) self=${self%/*}/$target ;;
	esac
done

machine=$(uname -sm)
case $machine in
'Linux x86_64' | 'Linux amd64') binary=${self%/*}/warp-init-x64 ;;
'Linux aarch64' | 'Linux arm64') binary=${self%/*}/warp-init-arm64 ;;
Linux*) refuse "it is ${machine#* }, and there are binaries for x86_64 and aarch64. Use an image of one of these." ;;
# Types and library of the package are of use there, too.
*) refuse "it runs ${machine% *}. Use a container, or Linux." ;;
esac

[ -f "$binary" ] || refuse "$binary is missing. Install warp-init again."
# Only where a link leads here: pnpm and yarn have written scripts that will run this file with sh, whatever it is then.
if [ "${1-}" = warm ] && [ -L "$0" ]; then
	# What is wrong here `warm` itself will say.
	if ln -f "$binary" "$self.new" 2>/dev/null || cp -f "$binary" "$self.new" 2>/dev/null; then
		mv -f "$self.new" "$self" 2>/dev/null || true
	fi
fi
exec "$binary" "$@"
